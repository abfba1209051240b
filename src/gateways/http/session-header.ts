import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Session } from '../../catalog/catalog.js';
import { parseUserId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { MAX_USER_NAME_CHARS } from '../../limits.js';

/**
 * The header on which the gateway says, to a service in another process, in which session a request is made: the tokens are
 * those of the DB Service, which each service asks by itself. It goes over sockets that only the home's owner can open.
 */
export const SESSION_HEADER = 'x-shoal-session';

const TOKEN = z.string().min(1).max(128);

/** A session as JSON, for the header and for bodies. */
export const SESSION = z.strictObject({
  token: TOKEN,
  background: TOKEN,
  user: z.string().transform(parseUserId),
  name: z.string().max(MAX_USER_NAME_CHARS),
  publicKey: z.base64().transform((text) => Uint8Array.from(Buffer.from(text, 'base64'))),
  generation: z.number().int().positive(),
  kit: z.boolean(),
});

export function sessionToJson(session: Session): unknown {
  const { token, background, user, name, publicKey, generation, kit } = session;
  return { token, background, user, name, publicKey: Buffer.from(publicKey).toString('base64'), generation, kit };
}

export function encodeSession(session: Session): string {
  return Buffer.from(JSON.stringify(sessionToJson(session))).toString('base64url');
}

/** @throws StorageError LOCKED without one, INVALID_ARGUMENT for one that cannot be read */
export function sessionFromHeader(request: Pick<FastifyRequest, 'headers'>): Session {
  const header = request.headers[SESSION_HEADER];
  if (typeof header !== 'string') throw new StorageError('LOCKED', 'The request names no session.');
  try {
    return SESSION.parse(JSON.parse(Buffer.from(header, 'base64url').toString()));
  } catch (error) {
    throw new StorageError('INVALID_ARGUMENT', `The header ${SESSION_HEADER} cannot be read.`, { cause: error });
  }
}
