import type { FastifyRequest } from 'fastify';
import type { LatestIn } from './branches.js';
import type { Logger } from '../log.js';
import type { Revision, IncomingRevision } from './pouch.js';
import type { Security } from './security.js';

/** Who asks, as CouchDB describes it to a validation function. */
export interface UserContext {
  /** The database that is used; empty where the request is about none. */
  readonly db: string;
  readonly name: string | null;
  readonly roles: readonly string[];
}

/**
 * What a request does:
 * `greet` (`/`: version and identity) · `list` (names of databases, state) · `read` · `write` (documents) ·
 * `checkpoint` (`_local/` documents, which are not replicated) · `create` and `drop` (databases) ·
 * `administer` (`_security`, `_design/`, `_compact`)
 */
export type DatabaseAction = 'greet' | 'list' | 'read' | 'write' | 'checkpoint' | 'create' | 'drop' | 'administer';

export interface Access {
  readonly action: DatabaseAction;
  /** undefined where the request is about none. It may not exist. */
  readonly database: string | undefined;
}

/** Who may use a server of document databases, and for what. */
export interface HostingRules {
  /**
   * Asked before the body of a request is read.
   *
   * @throws StorageError UNAUTHENTICATED, PERMISSION_DENIED
   */
  authorize(request: FastifyRequest, access: Access): Promise<UserContext>;
  /**
   * Asked for each document that is written, replicated ones too, but for those that are there already. `oldDoc` is the
   * nearest stored ancestor of the new revision; null for the first of a branch.
   *
   * @throws `{ forbidden: reason }` or `{ unauthorized: reason }`
   */
  readonly validate?: (
    newDoc: IncomingRevision,
    oldDoc: Revision | null,
    userCtx: UserContext,
    secObj: Security,
  ) => void;
  /** Bounds the branches of the documents of a database. */
  readonly latestIn?: LatestIn;
}

export interface DocumentServerOptions {
  readonly rules: HostingRules;
  readonly logger: Logger;
  /** Those who ask are other peers: they are not told where things lie on this machine. */
  readonly isForPeers?: boolean;
  /** Says to clients that this is the same server as before, so that a replication goes on where it was. */
  readonly uuid: string;
  /** What `GET /_status` tells beside damaged databases. */
  readonly status?: () => Readonly<Record<string, unknown>>;
}
