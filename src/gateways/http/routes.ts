import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Session } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import type { Engine } from '../../file/engine.js';
import type { Logger } from '../../log.js';
import type { DocumentsSource } from './documents-status.js';
import type { UserSessions } from '../../services/user-sessions.js';
import type { DiskStore } from '../../store/disk-store.js';

/** What every route may use. */
export interface Routes {
  readonly engine: Engine;
  readonly sessions: UserSessions;
  readonly store: DiskStore;
  readonly documents: DocumentsSource;
  readonly logger: Logger;
  /** Aborted when the server closes. */
  readonly stopping: AbortSignal;
  /** The server waits for this a moment when it closes. @returns the same promise */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
}

/** The user that the request names, or the only one. */
export function sessionOf({ sessions }: Routes, request: FastifyRequest): Session {
  const name = request.headers['x-shoal-user'];
  return sessions.get(typeof name === 'string' ? decodeName(name) : undefined);
}

function decodeName(header: string): string {
  try {
    return decodeURIComponent(header);
  } catch (error) {
    throw new StorageError('INVALID_ARGUMENT', 'The header x-shoal-user is not percent-encoded UTF-8.', {
      cause: error,
    });
  }
}

/** Aborted when the client leaves before it has the whole reply, or the server closes. */
export function signalOf({ stopping }: Routes, reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new StorageError('CANCELLED', 'The client closed the connection.'));
  });
  return AbortSignal.any([gone.signal, stopping]);
}
