import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { UserSummary } from '../../catalog/catalog.js';
import type { UserId } from '../../chunk/ids.js';
import { UnlockAttempts } from '../../catalog/users/attempts.js';
import { StorageError } from '../../errors.js';
import { findPackage } from '../../package.js';
import type { ProblemReply } from '../http/api.js';
import { timeOrNull } from '../http/replies.js';
import { check, REQUESTS } from '../http/requests.js';
import type { GatewayParts, Routes } from '../http/routes.js';
import type { SessionReply } from '../http/web-api.js';
import type { Links } from './links.js';
import type { WebAccess } from './web-access.js';

export interface SignInParts {
  readonly gateway: Pick<GatewayParts, 'catalog' | 'sessions'>;
  readonly access: WebAccess;
  readonly links: Links;
  /** Unix time. */
  readonly now: () => number;
  readonly note: Routes['note'];
}

export const LINK = z.strictObject({ link: z.string().max(128) });
/** Nobody can try the links of one user: they say nothing of whose they are. */
const ALL_LINKS = 'links';
const { version } = findPackage();

/** Signing in and out of one browser: web-api.ts. */
export function signInRoutes(server: FastifyInstance, parts: SignInParts): void {
  const { gateway, access, links, now } = parts;
  const attempts = new UnlockAttempts(now);
  const open = { config: { open: true } };

  server.get('/v1/session', open, async (request) => sessionReply(parts, request));

  server.post('/v1/session', open, async (request, reply) => {
    const { name, passphrase } = check(REQUESTS.credentials, request.body);
    return await attempt({ reply, attempts, note: parts.note }, name, async () => {
      const { name: user } = await gateway.sessions.signIn(name, passphrase);
      return signedIn(parts, request, reply, user);
    });
  });

  server.post('/v1/session/link', open, async (request, reply) => {
    const { link } = check(LINK, request.body);
    return await attempt({ reply, attempts, note: parts.note }, ALL_LINKS, async () => {
      const found = links.use(link);
      if (found === undefined) {
        throw new StorageError(
          'UNAUTHENTICATED',
          'This link is used up or too old. Get another with `shoal web`, or sign in with the passphrase.',
        );
      }
      // Locked meanwhile: the link opens nothing by itself.
      if (found.user !== undefined) gateway.sessions.get(found.user);
      return signedIn(parts, request, reply, found.user);
    });
  });

  server.delete('/v1/session', async (request, reply) => {
    const { kind } = access.principal(request);
    if (kind === 'token')
      throw new StorageError('INVALID_ARGUMENT', 'A token has no session. Revoke it: `shoal token rm`.');
    access.signOut(request, reply);
    return reply.code(204).send();
  });
}

interface Attempt {
  readonly reply: FastifyReply;
  readonly attempts: UnlockAttempts;
  readonly note: Routes['note'];
}

/** Wrong ones have to wait, longer each time. */
async function attempt<T>(
  { reply, attempts, note }: Attempt,
  name: string,
  work: () => Promise<T>,
): Promise<T | FastifyReply> {
  const waitMs = attempts.waitMs(name);
  if (waitMs > 0) return tooMany(reply, waitMs);
  try {
    const done = await work();
    attempts.succeeded(name);
    return done;
  } catch (error) {
    if (StorageError.is(error, 'UNAUTHENTICATED')) {
      attempts.failed(name);
      if (attempts.waitMs(name) > 0) note('refused', 'Somebody failed to sign in several times, and has to wait.');
    }
    throw error;
  }
}

/** RFC 6585, section 4. */
function tooMany(reply: FastifyReply, waitMs: number): FastifyReply {
  const seconds = String(Math.ceil(waitMs / 1000));
  const problem: ProblemReply = {
    code: 'LIMIT_EXCEEDED',
    message: `Too many attempts have failed. Try again in ${seconds} s.`,
  };
  return reply.code(429).header('retry-after', seconds).send(problem);
}

async function signedIn(
  { gateway, access, note }: SignInParts,
  request: FastifyRequest,
  reply: FastifyReply,
  user: string | undefined,
): Promise<SessionReply> {
  const { csrf, expiresMs, userId } = access.signIn(request, reply, user);
  note('signed-in', `${user ?? 'Whoever made this peer'} signed in with a browser.`);
  return replyFor(await summaryOf(gateway, userId), csrf, expiresMs);
}

async function sessionReply({ gateway, access }: SignInParts, request: FastifyRequest): Promise<SessionReply> {
  const found = access.find(request);
  await gateway.sessions.refresh();
  if (found === undefined || access.find(request) === undefined) return replyFor(null, null, null);
  const { userId, browser } = found;
  return replyFor(await summaryOf(gateway, userId), browser?.csrf ?? null, browser?.expiresMs ?? null);
}

async function summaryOf({ catalog }: SignInParts['gateway'], id: UserId | undefined): Promise<UserSummary | null> {
  return (await catalog.users()).find((user) => user.id === id) ?? null;
}

function replyFor(user: UserSummary | null, csrf: string | null, expiresMs: number | null): SessionReply {
  return { user, csrf, setup: false, version, expires: timeOrNull(expiresMs) };
}
