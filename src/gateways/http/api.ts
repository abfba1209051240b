/**
 * The control API as CLI and daemon share it: HTTP/1.1 with JSON on the unix socket in the peer's home, which only the
 * peer's own system user can open. Types only, so that the CLI starts fast.
 *
 *   GET    /v1/status                                  → StatusReply
 *   GET    /v1/live                                    → 204
 *   GET    /v1/health                                  → HealthReply; both also on `<service>-control.sock` of each
 *                                                        service that a process of its own runs
 *   POST   /v1/recovery           {dryRun}             → RecoveryEvent lines
 *   GET    /v1/stat?path=                              → EntryReply
 *   GET    /v1/entries?path=&recursive=true            → EntryReply[]
 *   DELETE /v1/entries?path=&recursive=true&forever=true → RemoveReply
 *   GET    /v1/trash                                   → DeletedReply[]
 *   DELETE /v1/trash?olderThanMs=                      → RemoveReply
 *   POST   /v1/restore            {path, version?}     → EntryReply
 *   POST   /v1/folders            {path}               → 204
 *   POST   /v1/move               {from, to}           → 204
 *   GET    /v1/versions?path=                          → VersionReply[]
 *   GET    /v1/where?path=&version=                    → WhereReply
 *   PUT    /v1/content?path=&modified=&mode=           body = the bytes → PutReply
 *   GET    /v1/content?path=&version=                  → the bytes; understands `Range: bytes=a-b`
 *   GET    /v1/uploads                                 → UploadReply[]: uploads that are not whole yet
 *   OPTIONS, POST /v1/uploads, HEAD, PATCH, DELETE /v1/uploads/ID   tus 1.0, see UploadReply
 *   POST   /v1/imports            ImportRequest lines  → ImportEvent lines
 *   POST   /v1/exports            ExportRequest        → ExportEvent lines
 *   GET, POST /v1/audits, /v1/repairs                  → see audit-api.ts
 *   GET /v1/safety; GET, POST /v1/holdings             → see safety-api.ts
 *   GET, POST /v1/scrub                                → see scrub-api.ts
 *   /v1/users…, /v1/keys, /v1/unlock, /v1/lock         → see user-api.ts
 *
 * "Lines" are application/x-ndjson. Closing the connection cancels what it started. An optional header `x-shoal-user`
 * selects the user where several are unlocked. Every failure is a ProblemReply with the HTTP status of its code.
 */
import type { ErrorCode } from '../../errors.js';
import type { SafetyReply } from './safety-api.js';
import type { UserReply } from './user-api.js';

export interface ProblemReply {
  readonly code: ErrorCode;
  readonly message: string;
}

/** A version of a file that is back, or would come back. */
export interface RecoveredReply {
  /** Where it lies; where it lay when it was stored. */
  readonly path: string;
  readonly stored: string;
  readonly version: string;
  readonly bytes: number;
  readonly modified: string;
  readonly created: string;
}

/** How many of each kind of event there were. */
export interface RecoveryCounts {
  readonly recovered: number;
  /** Of the recovered versions together. */
  readonly bytes: number;
  readonly broken: number;
  readonly unread: number;
  readonly refused: number;
}

export type RecoveryDone = {
  readonly event: 'done';
  readonly dryRun: boolean;
  readonly stripes: number;
  /** Versions that the catalog had, or had had, before. */
  readonly known: number;
} & RecoveryCounts;

export type RecoveryEvent =
  /** A peer has told what it holds. `badLabels` were not the owner's; with `failure` there may be more. */
  | {
      readonly event: 'peer';
      readonly peer: string;
      readonly name: string;
      readonly chunks: number;
      readonly badLabels: number;
      readonly failure: ProblemReply | null;
    }
  /** So many stripes follow, each told of by `stripe` when it was read or given up. */
  | { readonly event: 'stripes'; readonly stripes: number }
  | { readonly event: 'stripe' }
  | ({ readonly event: 'recovered' } & RecoveredReply)
  /** Of this version `missing` cannot be had: it did not come back. */
  | {
      readonly event: 'broken';
      readonly path: string;
      readonly version: string;
      readonly bytes: number;
      readonly missing: string;
    }
  /** Which files lie in this stripe is not known: of its chunks, `needed` are needed. */
  | ({
      readonly event: 'unread';
      readonly stripe: string;
      readonly chunks: number;
      readonly needed: number;
    } & ProblemReply)
  /** The catalog refused this version. */
  | ({ readonly event: 'refused'; readonly path: string; readonly version: string } & ProblemReply)
  | RecoveryDone
  | ({ readonly event: 'error' } & ProblemReply);

export interface EntryReply {
  readonly path: string;
  readonly type: 'file' | 'folder';
  readonly bytes: number;
  /** RFC 3339, UTC. */
  readonly modified: string;
  /** null for a folder. */
  readonly version: string | null;
}

/** Something in the trash. */
export interface DeletedReply {
  /** Where it was. */
  readonly path: string;
  readonly type: 'file' | 'folder';
  /** In it, when it is a folder. */
  readonly files: number;
  readonly bytes: number;
  /** RFC 3339, UTC. */
  readonly deleted: string;
}

export interface RemoveReply {
  readonly files: number;
  /** Chunks whose deletion is not done yet: their peers have not acknowledged it, or the record of their stripe is still there. It is tried again. */
  readonly pendingChunks: number;
  /** Peers of the user that have not heard of a removal for ever: the space is given back when they have. */
  readonly pendingHomes: number;
  /** Their names. */
  readonly homes: readonly string[];
  /** Which peers were told so far to delete chunks, and for how many of those it is not done yet. */
  readonly peers: readonly {
    readonly peer: string;
    readonly name: string;
    readonly chunks: number;
    readonly waiting: number;
    /** It is no member any more, and will not be asked again. */
    readonly removed: boolean;
  }[];
}

export interface VersionReply {
  readonly version: string;
  readonly bytes: number;
  readonly modified: string;
  readonly created: string;
  readonly current: boolean;
}

export interface WhereReply {
  readonly path: string;
  readonly bytes: number;
  readonly k: number;
  readonly m: number;
  readonly stripes: readonly {
    readonly id: string;
    readonly chunks: readonly WhereChunk[];
  }[];
}

export interface WhereChunk {
  readonly index: number;
  readonly id: string;
  /** null while the chunk waits for repair. */
  readonly peer: string | null;
  readonly bytes: number;
}

export interface PutReply {
  readonly path: string;
  readonly version: string;
  readonly bytes: number;
  readonly stripes: number;
  /** Chunks without a receipt yet; above 0 the file is stored but degraded. */
  readonly missingChunks: number;
}

/**
 * A file that comes in parts, and lasts while they do: through lost connections, restarts and power cuts, for
 * DRAFT_LIFETIME_MS after its last part. Nobody sees it before it is whole. GET lists those of the session's user; the rest is
 * tus 1.0 (https://tus.io/protocols/resumable-upload) with `creation`, `creation-with-upload`, `termination` and `expiration`.
 *
 *   POST   /v1/uploads     Upload-Length (it has to be known), Upload-Metadata with, base64 as tus says:
 *                            `path`       where the file is to lie; needed
 *                            `modified`   Unix milliseconds; else now
 *                            `mode`       POSIX permission bits, decimal; else 0o644
 *                            `overwrite`  `false`: 409 ALREADY_EXISTS when something is at the path, now or in the end; else
 *                                         the file is a new version of what is there
 *                            `source`     anything of 1 KiB by which the client knows its file again; UploadReply has it
 *                          → 201, `Location: uploads/ID`, relative to the URL of the request; Upload-Expires
 *   HEAD   /v1/uploads/ID  → 200, Upload-Offset, Upload-Length. Another request of the same upload that is still running is
 *                          brought to its end first, and what it has received is kept
 *   PATCH  /v1/uploads/ID  Upload-Offset, application/offset+octet-stream → 204, Upload-Offset, Upload-Expires. What has come
 *                          when the connection breaks is kept. 409 CONFLICT for another offset, and while somebody else adds
 *   DELETE /v1/uploads/ID  → 204: what was stored is given back
 *
 * The answer to the request with the last byte has `x-shoal-version`, and the file is visible; so has a HEAD for a day after.
 * Where it is refused then (LOCKED, UNAVAILABLE, a folder is at the path) nothing is lost: a HEAD tries again. Failures are
 * ProblemReply here too: 404 NOT_FOUND for an upload that expired, was given up, or is another user's; 413 LIMIT_EXCEEDED for
 * more than MAX_DRAFTS; 423 LOCKED, after which the same request works once the user is unlocked. A HEAD that may succeed
 * later is answered 423 as well, because clients give an upload up for anything else. A file of a few MiB is put faster by
 * PUT /v1/content.
 */
export interface UploadReply {
  readonly id: string;
  readonly path: string;
  /** Of the whole file. */
  readonly bytes: number;
  /** That are safe. Those of a local file that the daemon reads need not be its first ones. */
  readonly storedBytes: number;
  /** RFC 3339, UTC. */
  readonly created: string;
  readonly expires: string;
  /** The local file that the daemon reads, or what the client gave; null without either. */
  readonly source: string | null;
  /** local: by POST /v1/imports, which goes on with it; remote: by tus. */
  readonly kind: 'local' | 'remote';
  /** Bytes are being added. */
  readonly active: boolean;
}

/**
 * A local file for the daemon to read by itself. `device` and `inode` (decimal strings of the CLI's own bigint stat) prove
 * that both see the same file system; where they do not match, the event is `unreadable` and the CLI streams the file by
 * PUT /v1/content instead.
 */
export interface ImportItem {
  /** Absolute local path. */
  readonly local: string;
  readonly path: string;
  readonly device: string;
  readonly inode: string;
  readonly bytes: number;
  readonly modifiedMs: number;
  readonly mode: number;
  /** false: not as an upload that a later import goes on with; an earlier one of this file is given up. */
  readonly resume?: boolean;
}

/** `progress` tells of the bytes since the last one; many may be told together. */
export type ImportEvent =
  | { readonly event: 'progress'; readonly bytes: number }
  /**
   * A file of DRAFT_MIN_BYTES or more is put as an upload, which stays when the import breaks off. Of an earlier import
   * `storedBytes` are there; `changed`: those of one were of no use, because the local file is another by now.
   */
  | {
      readonly event: 'upload';
      readonly id: string;
      readonly local: string;
      readonly path: string;
      readonly storedBytes: number;
      readonly changed: boolean;
    }
  | ({ readonly event: 'stored' } & PutReply)
  /** This process cannot see the file as the CLI does: stream it. */
  | { readonly event: 'unreadable'; readonly local: string; readonly path: string }
  | {
      readonly event: 'failed';
      readonly local: string;
      readonly path: string;
      readonly code: ErrorCode;
      readonly message: string;
    }
  | { readonly event: 'done'; readonly files: number; readonly bytes: number }
  /** The whole request failed; nothing follows. */
  | ({ readonly event: 'error' } & ProblemReply);

/**
 * Files for the daemon to write into a staging folder that the CLI has made (mode 0700) beside the destination, holding a
 * file `.proof` with `proof` in it: being able to read that shows that both see the same file system. Item `n` is written
 * as `<staging>/<n>`; the CLI moves it to its place. A daemon that cannot read the proof answers PERMISSION_DENIED, and
 * the CLI falls back to GET /v1/content.
 */
export interface ExportRequest {
  readonly staging: string;
  readonly proof: string;
  readonly items: readonly { readonly path: string; readonly version?: string }[];
}

/** `progress` as in ImportEvent. */
export type ExportEvent =
  | { readonly event: 'progress'; readonly bytes: number }
  | {
      readonly event: 'fetched';
      readonly item: number;
      readonly bytes: number;
      readonly modifiedMs: number;
      readonly mode: number;
    }
  | { readonly event: 'failed'; readonly item: number; readonly code: ErrorCode; readonly message: string }
  | { readonly event: 'done'; readonly files: number; readonly bytes: number }
  | ({ readonly event: 'error' } & ProblemReply);

/** How this peer's document databases stand with the backup hosts. Times are Unix milliseconds. */
export interface SyncReply {
  /** Why nothing is known; else null. */
  readonly error: string | null;
  readonly streams: readonly {
    readonly host: string;
    readonly hostName: string;
    readonly database: string;
    readonly direction: 'push' | 'pull';
    /** `waiting`: all is copied. */
    readonly phase: 'connecting' | 'copying' | 'waiting' | 'failing' | 'closed';
    /** Of the source's feed, up to where everything was copied. */
    readonly sequence: string;
    /** Changes behind it, an upper bound; null when nobody counts them. */
    readonly pending: number | null;
    /** Since the process began. */
    readonly written: number;
    readonly refused: number;
    readonly error: string | null;
    readonly lastSuccessMs: number | null;
  }[];
  /** Databases that were found damaged, and set aside. */
  readonly damaged: readonly { readonly name: string; readonly movedTo: string; readonly reason: string }[];
}

/** How a process of this peer is. */
export interface HealthReply {
  /** What it runs. */
  readonly services: readonly string[];
  /** All that it asks something of answers. */
  readonly ready: boolean;
  readonly missing: readonly { readonly service: string; readonly message: string }[];
}

export interface StatusReply {
  readonly sync: SyncReply;
  readonly version: string;
  readonly network: { readonly id: string; readonly name: string; readonly k: number; readonly m: number };
  readonly peer: { readonly id: string; readonly name: string; readonly address: string; readonly zone: string };
  readonly peers: readonly {
    readonly id: string;
    readonly name: string;
    readonly address: string;
    readonly zone: string;
    readonly state: 'member' | 'draining' | 'removed';
    readonly up: boolean;
    readonly capacityBytes: number;
    /** Round trip of the last health check; null when down. */
    readonly latencyMs: number | null;
  }[];
  /** null when the File Receiver does not answer. */
  readonly store: {
    readonly chunks: number;
    readonly bytes: number;
    readonly partialBytes: number;
    readonly freeBytes: number;
    readonly reserveBytes: number;
  } | null;
  readonly users: readonly UserReply[];
  /** Files of the selected user by what may still fail; null when none is unlocked, or the File Sender does not answer. */
  readonly safety: SafetyReply | null;
  /** null when the File Sender does not answer. */
  readonly outbox: { readonly pendingDeletes: number | null };
  /** Services of this peer that do not answer, and what to do. */
  readonly missing: HealthReply['missing'];
  /** Documents of the shared databases that were not believed, MAX_STATUS_PROBLEMS of them at most; the log has all. */
  readonly problems: readonly {
    readonly document: string;
    /** refused: forged or garbage; replayed: an older state was put back; newer: upgrade Shoal; lost: nothing is left. */
    readonly kind: 'refused' | 'replayed' | 'newer' | 'lost';
    readonly reason: string;
  }[];
}
