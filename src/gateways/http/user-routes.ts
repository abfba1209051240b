import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Catalog, KeyRotation, PassphraseChange, Session } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import type { ChangeReply, KitReply, PassphraseReply, RotationEvent } from './user-api.js';
import { timeOf } from './replies.js';
import { check, REQUESTS } from './requests.js';
import { signalOf, type Audience, type GatewayParts, type Replaced, type Routes } from './routes.js';
import { sendLines } from './send-lines.js';

/** Users, their passphrases, kits and keys. */
export function userRoutes(
  server: FastifyInstance,
  routes: Routes,
  { catalog, sessions }: GatewayParts,
  audience: Audience,
): void {
  const replaced = replacedBy(routes, sessions);

  server.get('/v1/users', async () => {
    await sessions.refresh();
    return catalog.users();
  });

  server.post('/v1/users', async (request) => {
    const { name, passphrase } = check(REQUESTS.credentials, request.body);
    return catalog.createUser(name, passphrase);
  });

  // Browsers sign in instead: web-api.ts.
  if (audience === 'local') {
    server.post('/v1/unlock', async (request) => {
      const { name, passphrase } = check(REQUESTS.credentials, request.body);
      const user = await sessions.unlock(name, passphrase);
      routes.note('user-unlocked', `${user.name} was unlocked.`);
      return user;
    });
  }

  server.post('/v1/lock', async (request, reply) => {
    const { name } = check(REQUESTS.name, request.body);
    // As who is signed in, and not only by the same name.
    if (audience === 'web' && routes.sessionOf(request).name !== name) {
      throw new StorageError('PERMISSION_DENIED', 'Users lock themselves alone.');
    }
    await sessions.lock(name);
    return reply.code(204).send();
  });

  server.post('/v1/users/passphrase', async (request): Promise<PassphraseReply> => {
    const { name, old, next, revokeTokens } = check(REQUESTS.passphrase, request.body);
    const change = await sessions.changePassphrase(name, old, next);
    const tokens = await replaced(request, change.user, revokeTokens);
    return { ...changeReply(change), tokens };
  });

  server.post('/v1/users/kit', async (request): Promise<KitReply> => {
    const { name, passphrase } = check(REQUESTS.credentials, request.body);
    const { words, network, createdMs, ...change } = await catalog.makeKit(name, passphrase);
    return { ...changeReply(change), words, network, created: timeOf(createdMs) };
  });

  // Whoever has forgotten the passphrase cannot sign in first. Guesses have to wait, as those of passphrases do.
  server.post('/v1/users/recover', { config: { open: true } }, async (request): Promise<PassphraseReply> => {
    const { name, words, next, revokeTokens } = check(REQUESTS.recovery, request.body);
    const change = await catalog.recoverWithKit(name, words, next);
    const tokens = await replaced(request, change.user, revokeTokens);
    return { ...changeReply(change), tokens };
  });

  rotationRoutes(server, routes, { catalog, replaced });
}

interface RotationParts extends Pick<GatewayParts, 'catalog'> {
  readonly replaced: ReturnType<typeof replacedBy>;
}

function rotationRoutes(server: FastifyInstance, routes: Routes, { catalog, replaced }: RotationParts): void {
  server.get('/v1/keys', async (request) => catalog.keyRotation(routes.sessionOf(request)));

  server.post('/v1/keys', async (request, reply) => {
    const session = routes.sessionOf(request);
    const { passphrase, entriesPerSecond, revokeTokens } = check(REQUESTS.rotation, request.body);
    const signal = signalOf(routes, reply, session);
    const options = entriesPerSecond === undefined ? {} : { entriesPerSecond };
    return sendLines<RotationEvent>(routes, reply, async (events) => {
      const signOut = async (): Promise<void> => {
        const { user: id, name } = session;
        events.push({ event: 'replaced', tokens: await replaced(request, { id, name }, revokeTokens) });
      };
      const { generation: former } = await catalog.keyRotation(session);
      let last: KeyRotation | undefined;
      try {
        for await (const rotation of catalog.rotateKeys(session, passphrase, options)) {
          const isFirst = last === undefined;
          last = rotation;
          // Otherwise it goes on with keys that are there already, and whoever came in by them stays unless that is to end, too.
          if (isFirst && (rotation.generation > former || revokeTokens)) await signOut();
          events.push({ event: 'rotation', ...rotation });
          // Leaving the iteration pauses the work.
          if (signal.aborted) return;
        }
      } catch (error) {
        if (last === undefined && (await mayBePast(former, catalog, session))) await signOut();
        throw error;
      }
      if (last === undefined) return;
      events.push({ event: 'done', ...last });
      if (last.state === 'none') routes.note('keys-rotated', `${session.name} has new keys.`);
    });
  });
}

/** Keys that were made may be good although making them failed in the end; where that cannot be told, they are taken to be. */
async function mayBePast(generation: number, catalog: Catalog, session: Session): Promise<boolean> {
  try {
    return (await catalog.keyRotation(session)).generation > generation;
  } catch {
    return true;
  }
}

/** Ends what was opened by what a request has replaced. @returns tokens of the user's programs that are still good */
function replacedBy(routes: Routes, sessions: GatewayParts['sessions']) {
  return (request: FastifyRequest, user: Replaced, revokeTokens: boolean): Promise<number> => {
    sessions.replaced(user.name);
    return routes.onSecret(request, user, revokeTokens);
  };
}

function changeReply({ user, pendingHosts }: PassphraseChange): ChangeReply {
  return { user, pendingHosts };
}
