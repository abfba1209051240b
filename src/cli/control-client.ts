import type {
  DeletedReply,
  EntryReply,
  ExportEvent,
  ExportRequest,
  ImportEvent,
  ProblemReply,
  PutReply,
  RecoveryEvent,
  RemoveReply,
  StatusReply,
  UploadReply,
  VersionReply,
  WhereReply,
} from '../gateways/http/api.js';
import type {
  KitReply,
  PassphraseReply,
  PassphraseRequest,
  RotationEvent,
  RotationReply,
  SshKeyReply,
  RotationRequest,
  UserReply,
} from '../gateways/http/user-api.js';
import type { AuditEvent, AuditsReply, RepairEvent, RepairsReply } from '../gateways/http/audit-api.js';
import type { CompactionEvent, CompactionReply } from '../gateways/http/compaction-api.js';
import type { GarbageEvent, GarbageReply } from '../gateways/http/garbage-api.js';
import type { HoldingsEvent, SafetyReply } from '../gateways/http/safety-api.js';
import type { ScrubEvent, ScrubReply } from '../gateways/http/scrub-api.js';
import type { LinkReply, TokenReply, TokenRequest, WebSessionReply } from '../gateways/http/web-api.js';
import type { Family } from '../gateways/http/metrics/family.js';
import type { SshKeyToAdd, SshKeyToRemove } from '../catalog/catalog.js';
import { StorageError } from '../errors.js';
import { ControlConnection, type ControlRequest } from './control-connection.js';

/** An open end means up to the end of the file. */
export interface ByteRange {
  readonly offset: number;
  readonly length?: number;
}

/** What a streamed file keeps of the local one. */
export interface FileAttributes {
  readonly modifiedMs: number;
  readonly mode: number;
}

/** ImportEvent and ExportEvent without the failure of the whole request. */
export type ImportOutcome = Exclude<ImportEvent, FailureEvent>;
export type RecoveryOutcome = Exclude<RecoveryEvent, FailureEvent>;
export type ExportOutcome = Exclude<ExportEvent, FailureEvent>;
export type CompactionOutcome = Exclude<CompactionEvent, FailureEvent>;
export type GarbageOutcome = Exclude<GarbageEvent, FailureEvent>;
export type AuditsOutcome = Exclude<AuditEvent, FailureEvent>;
export type HoldingsOutcome = Exclude<HoldingsEvent, FailureEvent>;
export type RepairOutcome = Exclude<RepairEvent, FailureEvent>;
export type ScrubOutcome = Exclude<ScrubEvent, FailureEvent>;
export type RotationOutcome = Exclude<RotationEvent, FailureEvent>;

type FailureEvent = { readonly event: 'error' } & ProblemReply;
type Verb = Omit<ControlRequest, 'signal'>;

/**
 * The control API (src/gateways/http/api.ts) as methods, one per route. Every method rejects with the daemon's own
 * StorageError, with UNAVAILABLE where no daemon answers, and with the signal's reason after an abort. Replies are not
 * checked field by field: the daemon runs as the same system user, from the same package.
 */
export class ControlClient implements AsyncDisposable {
  readonly #connection: ControlConnection;
  readonly #signal: AbortSignal;

  /** @param signal aborts every call of this client */
  constructor(home: string, options: { readonly user?: string | undefined; readonly signal: AbortSignal }) {
    this.#connection = new ControlConnection(home, options.user);
    this.#signal = options.signal;
  }

  status(): Promise<StatusReply> {
    return this.#json({ method: 'GET', route: '/v1/status' });
  }

  /** A link into the web UI. @throws StorageError UNSUPPORTED where it is off */
  webLink(): Promise<LinkReply> {
    return this.#json({ method: 'POST', route: '/v1/web/link', body: { json: {} } });
  }

  makeToken(request: TokenRequest): Promise<TokenReply> {
    return this.#json({ method: 'POST', route: '/v1/tokens', body: { json: request } });
  }

  /** Browsers and tokens. */
  sessions(): Promise<readonly WebSessionReply[]> {
    return this.#json({ method: 'GET', route: '/v1/sessions' });
  }

  endSession(id: string): Promise<void> {
    return this.#json({ method: 'DELETE', route: '/v1/sessions', query: { id } });
  }

  audits(): Promise<AuditsReply> {
    return this.#json({ method: 'GET', route: '/v1/audits' });
  }

  /** So many, as they are done; leaving ends them. */
  auditNow(audits: number): AsyncGenerator<AuditsOutcome> {
    return this.#lines<AuditEvent>({ method: 'POST', route: '/v1/audits', body: { json: { audits } } });
  }

  /** @param files that are lost or at risk, to be named */
  safety(files: number): Promise<SafetyReply> {
    return this.#json({ method: 'GET', route: '/v1/safety', query: { files: String(files) } });
  }

  /** Asks all peers what they hold. */
  compareNow(): AsyncGenerator<HoldingsOutcome> {
    return this.#lines<HoldingsEvent>({ method: 'POST', route: '/v1/holdings', body: { json: {} } });
  }

  repairs(): Promise<RepairsReply> {
    return this.#json({ method: 'GET', route: '/v1/repairs' });
  }

  /** All that can be repaired, stripe by stripe; leaving ends it. */
  repairNow(): AsyncGenerator<RepairOutcome> {
    return this.#lines<RepairEvent>({ method: 'POST', route: '/v1/repairs', body: { json: {} } });
  }

  garbage(): Promise<GarbageReply> {
    return this.#json({ method: 'GET', route: '/v1/garbage' });
  }

  /** Asks all peers, and deletes what may be deleted. @param old also what was there before the peer watched */
  collectGarbage(old: boolean): AsyncGenerator<GarbageOutcome> {
    return this.#lines<GarbageEvent>({ method: 'POST', route: '/v1/garbage', body: { json: { old } } });
  }

  compaction(): Promise<CompactionReply> {
    return this.#json({ method: 'GET', route: '/v1/compaction' });
  }

  /** @param giveBack the old places, though somebody may be reading there */
  compactNow(giveBack: boolean): AsyncGenerator<CompactionOutcome> {
    return this.#lines<CompactionEvent>({ method: 'POST', route: '/v1/compaction', body: { json: { giveBack } } });
  }

  scrub(): Promise<ScrubReply> {
    return this.#json({ method: 'GET', route: '/v1/scrub' });
  }

  /** Reads all chunks of the peer's disk once. */
  scrubNow(): AsyncGenerator<ScrubOutcome> {
    return this.#lines<ScrubEvent>({ method: 'POST', route: '/v1/scrub', body: { json: {} } });
  }

  metrics(): Promise<readonly Family[]> {
    return this.#json({ method: 'GET', route: '/v1/metrics', query: { format: 'json' } });
  }

  unlock(name: string, passphrase: string): Promise<UserReply> {
    return this.#json({ method: 'POST', route: '/v1/unlock', body: { json: { name, passphrase } } });
  }

  lock(name: string): Promise<void> {
    return this.#json({ method: 'POST', route: '/v1/lock', body: { json: { name } } });
  }

  users(): Promise<readonly UserReply[]> {
    return this.#json({ method: 'GET', route: '/v1/users' });
  }

  createUser(name: string, passphrase: string): Promise<UserReply> {
    return this.#json({ method: 'POST', route: '/v1/users', body: { json: { name, passphrase } } });
  }

  changePassphrase(change: PassphraseRequest & { readonly old: string }): Promise<PassphraseReply> {
    return this.#json({ method: 'POST', route: '/v1/users/passphrase', body: { json: change } });
  }

  makeKit(name: string, passphrase: string): Promise<KitReply> {
    return this.#json({ method: 'POST', route: '/v1/users/kit', body: { json: { name, passphrase } } });
  }

  recover(change: PassphraseRequest & { readonly words: string }): Promise<PassphraseReply> {
    return this.#json({ method: 'POST', route: '/v1/users/recover', body: { json: change } });
  }

  sshKeys(name: string): Promise<readonly SshKeyReply[]> {
    return this.#json({ method: 'GET', route: '/v1/users/ssh-keys', query: { name } });
  }

  addSshKey(key: SshKeyToAdd): Promise<readonly SshKeyReply[]> {
    return this.#json({ method: 'POST', route: '/v1/users/ssh-keys', body: { json: key } });
  }

  removeSshKey(key: SshKeyToRemove): Promise<readonly SshKeyReply[]> {
    return this.#json({ method: 'POST', route: '/v1/users/ssh-keys/removal', body: { json: key } });
  }

  rotation(user: string): Promise<RotationReply> {
    return this.#json({ method: 'GET', route: '/v1/keys', headers: asUser(user) });
  }

  rotateKeys(user: string, request: RotationRequest): AsyncGenerator<RotationOutcome> {
    const body = { json: request };
    return this.#lines<RotationEvent>({ method: 'POST', route: '/v1/keys', body, headers: asUser(user) });
  }

  /** Finds a user at the other peers, where this one has forgotten it. */
  adoptUser(asked: { readonly name: string } | { readonly id: string }): Promise<UserReply> {
    return this.#json({ method: 'POST', route: '/v1/users/adopt', body: { json: asked } });
  }

  recoverCatalog(user: string, request: { readonly dryRun: boolean }): AsyncGenerator<RecoveryOutcome> {
    const body = { json: request };
    return this.#lines<RecoveryEvent>({ method: 'POST', route: '/v1/recovery', body, headers: asUser(user) });
  }

  stat(path: string): Promise<EntryReply> {
    return this.#json({ method: 'GET', route: '/v1/stat', query: { path } });
  }

  /** undefined where there is nothing. */
  async statIfThere(path: string): Promise<EntryReply | undefined> {
    try {
      return await this.stat(path);
    } catch (error) {
      if (StorageError.is(error, 'NOT_FOUND')) return undefined;
      throw error;
    }
  }

  list(path: string, options: { readonly recursive: boolean }): Promise<readonly EntryReply[]> {
    const recursive = options.recursive ? 'true' : undefined;
    return this.#json({ method: 'GET', route: '/v1/entries', query: { path, recursive } });
  }

  remove(path: string, options: { readonly recursive: boolean; readonly forever: boolean }): Promise<RemoveReply> {
    const recursive = options.recursive ? 'true' : undefined;
    const forever = options.forever ? 'true' : undefined;
    return this.#json({ method: 'DELETE', route: '/v1/entries', query: { path, recursive, forever } });
  }

  deleted(): Promise<readonly DeletedReply[]> {
    return this.#json({ method: 'GET', route: '/v1/trash' });
  }

  emptyTrash(olderThanMs: number): Promise<RemoveReply> {
    return this.#json({ method: 'DELETE', route: '/v1/trash', query: { olderThanMs: String(olderThanMs) } });
  }

  restore(path: string, version?: string): Promise<EntryReply> {
    return this.#json({ method: 'POST', route: '/v1/restore', body: { json: { path, version } } });
  }

  makeFolder(path: string): Promise<void> {
    return this.#json({ method: 'POST', route: '/v1/folders', body: { json: { path } } });
  }

  move(from: string, to: string): Promise<void> {
    return this.#json({ method: 'POST', route: '/v1/move', body: { json: { from, to } } });
  }

  versions(path: string): Promise<readonly VersionReply[]> {
    return this.#json({ method: 'GET', route: '/v1/versions', query: { path } });
  }

  where(path: string, version?: string): Promise<WhereReply> {
    return this.#json({ method: 'GET', route: '/v1/where', query: { path, version } });
  }

  upload(path: string, bytes: AsyncIterable<Uint8Array>, attributes?: FileAttributes): Promise<PutReply> {
    return this.#json({
      method: 'PUT',
      route: '/v1/content',
      query: { path, modified: attributes?.modifiedMs.toString(), mode: attributes?.mode.toString() },
      body: { type: 'application/octet-stream', stream: bytes },
    });
  }

  uploads(): Promise<readonly UploadReply[]> {
    return this.#json({ method: 'GET', route: '/v1/uploads' });
  }

  giveUpUpload(id: string): Promise<void> {
    return this.#json({ method: 'DELETE', route: `/v1/uploads/${id}`, headers: { 'tus-resumable': '1.0.0' } });
  }

  download(
    path: string,
    options: { readonly version?: string | undefined; readonly range?: ByteRange | undefined } = {},
  ): AsyncGenerator<Uint8Array> {
    const { range, version } = options;
    const headers = range === undefined ? {} : { range: rangeHeader(range) };
    return this.#connection.bytes({
      method: 'GET',
      route: '/v1/content',
      query: { path, version },
      headers,
      signal: this.#signal,
    });
  }

  /** @param lines encoded ImportItem, each ended by a newline, many to a part */
  imports(lines: AsyncIterable<string>): AsyncGenerator<ImportOutcome> {
    const body = { type: 'application/x-ndjson', stream: lines };
    return this.#lines<ImportEvent>({ method: 'POST', route: '/v1/imports', body });
  }

  exports(request: ExportRequest): AsyncGenerator<ExportOutcome> {
    return this.#lines<ExportEvent>({ method: 'POST', route: '/v1/exports', body: { json: request } });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #json<Reply>(verb: Verb): Promise<Reply> {
    return (await this.#connection.json({ ...verb, signal: this.#signal })) as Reply;
  }

  /** The request's own failure is thrown; the other events are the caller's. */
  async *#lines<Event extends { readonly event: string }>(verb: Verb): AsyncGenerator<Exclude<Event, FailureEvent>> {
    for await (const line of this.#connection.lines({ ...verb, signal: this.#signal })) {
      const event = line as Event | FailureEvent;
      if (isFailure(event)) throw new StorageError(event.code, event.message);
      yield event as Exclude<Event, FailureEvent>;
    }
  }
}

/** Stands above the user that the client was opened for. */
function asUser(name: string): Readonly<Record<string, string>> {
  return { 'x-shoal-user': encodeURIComponent(name) };
}

function isFailure(event: { readonly event: string }): event is FailureEvent {
  return event.event === 'error';
}

/** RFC 9110 section 14.1.2: both ends of a range count. */
function rangeHeader({ offset, length }: ByteRange): string {
  const last = length === undefined ? '' : String(offset + length - 1);
  return `bytes=${String(offset)}-${last}`;
}
