import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Catalog, Session, UserSummary } from '../../catalog/catalog.js';
import type { PeerId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { Engine, ReadEngine } from '../../file/engine.js';
import type { PeerLinks } from '../../file/peer-links.js';
import type { Healing } from '../../healing/healing.js';
import type { Scrub } from '../../healing/scrub.js';
import type { Logger } from '../../log.js';
import type { PeerBook } from '../../peers/peer-book.js';
import type { Service } from '../../services/service-names.js';
import type { UserSessions } from '../../services/user-sessions.js';
import type { StoreUsage } from '../../store/usage.js';
import type { Admitted } from './admitted.js';
import type { DocumentsSource } from './documents-status.js';
import type { SafetyReply } from './safety-api.js';
import type { SafetyQuestion } from './safety-reply.js';
import type { Transfers } from './transfers.js';
import type { ActivityReply } from './web-api.js';

/** The user whose passphrase or keys were replaced. */
export type Replaced = Pick<UserSummary, 'id' | 'name'>;

/** What every route may use. */
export interface Routes {
  readonly logger: Logger;
  /** In whose name a request is made. @throws StorageError LOCKED, INVALID_ARGUMENT */
  readonly sessionOf: (request: FastifyRequest) => Session;
  /** The name of the user that it is about, where one is named. @throws StorageError INVALID_ARGUMENT */
  readonly userOf: (request: FastifyRequest) => string | undefined;
  /** Who asks: the id of a browser's session or of a token; on the control socket all are one. */
  readonly callerOf: (request: FastifyRequest) => string;
  /**
   * A user's passphrase or keys were replaced by this request: whoever else was signed in before is not any more.
   *
   * @returns tokens of the user's programs that are still good
   */
  readonly onSecret: (request: FastifyRequest, user: Replaced, revokeTokens: boolean) => Promise<number>;
  /** Writes down what happened, for the people of this peer. No name of a file. */
  readonly note: (kind: ActivityReply['kind'], text: string) => void;
  /** Aborted when the server closes. */
  readonly stopping: AbortSignal;
  /**
   * Aborted, with what to say, when whoever asks may not any more: by the session in whose name it is done, or by how it was
   * shown who asks. Absent where requests come from a gateway, which sees to it.
   *
   * @throws StorageError UNAUTHENTICATED when that is so already
   */
  readonly allowed?: (request: FastifyRequest, reply: FastifyReply, session: Session | undefined) => AbortSignal;
  /** The server waits for this a moment when it closes. @returns the same promise */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
}

/** Programs of this machine, `local`, or whoever comes from TCP, `web`. */
export type Audience = 'local' | 'web';

/** What the gateway's own routes work with. */
export interface GatewayParts {
  readonly self: PeerId;
  readonly catalog: Catalog;
  readonly book: PeerBook;
  readonly links: PeerLinks;
  readonly sessions: UserSessions;
  readonly documents: DocumentsSource;
  /** Of this process, over all of its sockets and ports. */
  readonly transfers: Transfers;
  /** Likewise. */
  readonly admitted: Admitted;
  /** Of the File Receiver's store. @throws StorageError UNAVAILABLE */
  readonly usage: (signal: AbortSignal) => Promise<StoreUsage>;
  /** Of the File Sender's outbox. @throws StorageError UNAVAILABLE */
  readonly pendingDeletes: (signal: AbortSignal) => Promise<number>;
  /** Worked out by the File Sender; null when the session has ended. @throws StorageError UNAVAILABLE */
  readonly safety: (question: SafetyQuestion, signal: AbortSignal) => Promise<SafetyReply | null>;
  /** Services of this peer that do not answer. */
  readonly missing: (signal: AbortSignal) => Promise<readonly MissingService[]>;
}

/** A service that something is asked of and that does not answer. */
export interface MissingService {
  readonly service: Service;
  /** What to do. */
  readonly message: string;
}

/** What the File Sender's routes work with. */
export interface SenderParts {
  readonly engine: Engine;
  /** Absent: other peers are neither audited nor repaired. */
  readonly healing?: Healing | undefined;
}

/** What the File Receiver's routes work with. */
export interface ReceiverParts {
  readonly engine: ReadEngine;
  readonly scrub: Scrub;
  readonly store: { usage(): Promise<StoreUsage> };
}

/** The user that the request names, or the only one. */
export function sessionAmong(sessions: UserSessions, request: FastifyRequest): Session {
  return sessions.get(userNamed(request));
}

/** By the header x-shoal-user. */
export function userNamed(request: FastifyRequest): string | undefined {
  const name = request.headers['x-shoal-user'];
  return typeof name === 'string' ? decodeName(name) : undefined;
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

/**
 * Aborted when the server closes, or whoever asks may not any more. To be asked for before anything is awaited: what ends
 * earlier is not heard of.
 *
 * @param session in whose name it is done; absent: nobody's, so that on the control socket no user's lock ends it
 */
export function endOf(
  { stopping, allowed }: Pick<Routes, 'stopping' | 'allowed'>,
  reply: FastifyReply,
  session?: Session,
): AbortSignal {
  return allowed === undefined ? stopping : AbortSignal.any([stopping, allowed(reply.request, reply, session)]);
}

/** As endOf; also aborted when the client leaves before it has the whole reply. */
export function signalOf(
  routes: Pick<Routes, 'stopping' | 'allowed'>,
  reply: FastifyReply,
  session?: Session,
): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new StorageError('CANCELLED', 'The client closed the connection.'));
  });
  return AbortSignal.any([gone.signal, endOf(routes, reply, session)]);
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** On TCP, too, it answers without a session. */
    readonly open?: boolean;
  }
}
