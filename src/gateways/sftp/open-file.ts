import type { Catalog, Session } from '../../catalog/catalog.js';
import type { UserId, VersionId } from '../../chunk/ids.js';
import { StorageError, wrapError } from '../../errors.js';
import { MAX_SFTP_FILE_BYTES, SFTP_MEMORY_FILE_BYTES } from '../../limits.js';
import type { ShownEntry } from './attributes.js';
import type { Budget } from './budget.js';
import type { FileContent, StoredContent } from './content.js';
import { MemoryDraft } from './memory-draft.js';
import type { SpoolOptions } from './spool.js';
import { SpoolDraft } from './spool-draft.js';
import { StreamDraft } from './stream-draft.js';

const NEW_MODE = 0o644;
/** A base is read for as long as the file is open. */
const NEVER = new AbortController().signal;

/** What all open files of a server share. */
export interface OpenFileParts {
  readonly catalog: Catalog;
  readonly content: FileContent;
  readonly spool: SpoolOptions;
  /** Bytes of small files in memory; files that are put as they are written; files with a spool. */
  readonly memory: Budget;
  readonly streams: Budget;
  readonly spools: Budget;
}

/** What a file is opened with. */
export interface FileStart {
  readonly path: string;
  /** @throws StorageError LOCKED */
  readonly session: () => Session;
  /** Absent for a new file. */
  readonly stored?: StoredContent;
  readonly mode?: number;
}

/**
 * A file that clients have open, all of them together: what one of them writes the others read. Its bytes are those of a
 * stored version until somebody writes; then they are a draft, in memory, on its way to the peers, or in a spool, until they
 * are committed as the next version. Its calls run one after the other, in the order in which they were made.
 */
export class OpenFile {
  readonly user: UserId;
  readonly #parts: OpenFileParts;
  readonly #session: () => Session;
  #handles = 0;
  #path: string;
  #stored: StoredContent | undefined;
  #draft: MemoryDraft | SpoolDraft | StreamDraft<VersionId> | undefined;
  #isChanged: boolean;
  #mode: number;
  #modifiedMs: number;
  /** Somebody said when it was modified, so writing does not. */
  #isDated = false;
  #isDetached = false;
  #failure: StorageError | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #pending = 0;

  constructor(parts: OpenFileParts, { path, session, stored, mode }: FileStart) {
    this.user = session().user;
    this.#parts = parts;
    this.#session = session;
    this.#path = path;
    this.#stored = stored;
    this.#isChanged = stored === undefined;
    this.#mode = mode ?? stored?.mode ?? NEW_MODE;
    this.#modifiedMs = stored?.modifiedMs ?? Date.now();
  }

  get path(): string {
    return this.#path;
  }

  /** Of the stored version that it is based on. */
  get version(): VersionId | undefined {
    return this.#stored?.version;
  }

  /** Not all of it is in the catalog, or about to be. */
  get isBusy(): boolean {
    return this.#isChanged || this.#pending > 0;
  }

  /** As a client sees it now. */
  get entry(): ShownEntry {
    return { type: 'file', bytes: this.#bytes, mode: this.#mode, modifiedMs: this.#modifiedMs };
  }

  /** What can be read directly; undefined while there is something that was written. */
  get readable(): StoredContent | undefined {
    return this.isBusy || this.#draft !== undefined ? undefined : this.#stored;
  }

  /** @param offset undefined: at the end */
  write(offset: number | undefined, data: Buffer): Promise<void> {
    return this.#run(() => this.#whole(() => this.#write(offset ?? this.#bytes, data)));
  }

  read(offset: number, bytes: number): Promise<readonly Uint8Array[]> {
    return this.#run(async () => {
      this.#demandSound();
      // What is on its way cannot be read back: it becomes a version first.
      if (this.#draft instanceof StreamDraft) await this.#commit();
      const draft = this.#readableDraft();
      if (draft !== undefined) return draft.read(offset, bytes);
      const to = Math.min(offset + bytes, this.#bytes);
      return offset >= to ? [] : await this.#readStored(offset, to);
    });
  }

  truncate(bytes: number): Promise<void> {
    return this.#run(async () => {
      // Nothing is lost by it: the file stays as it is.
      demandLength(bytes);
      await this.#whole(() => this.#truncate(bytes));
    });
  }

  /** Is the file's when it is committed next. */
  set({ mode, modifiedMs }: { readonly mode?: number; readonly modifiedMs?: number }): Promise<void> {
    return this.#run(async () => {
      this.#mode = mode ?? this.#mode;
      this.#modifiedMs = modifiedMs ?? this.#modifiedMs;
      this.#isDated ||= modifiedMs !== undefined;
      if (this.#isChanged || this.#isDetached) return;
      const attributes = { mode: this.#mode, modifiedMs: this.#modifiedMs };
      const { version } = await this.#parts.catalog.setAttributes(this.#session(), this.#path, attributes);
      if (version !== this.#stored?.version) this.#stored = await this.#open();
    });
  }

  /** What was written is the newest version when this resolves. @throws StorageError also what went wrong before */
  commit(): Promise<void> {
    return this.#run(async () => {
      this.#demandSound();
      await this.#commit();
    });
  }

  /** It was renamed, after a commit. */
  moveTo(path: string): void {
    this.#path = path;
  }

  /** It was removed: what is written stays with those who have it open, and is never committed. */
  detach(): Promise<void> {
    this.#isDetached = true;
    return this.#run(async () => {
      if (!(this.#draft instanceof StreamDraft)) return;
      await this.#dropDraft();
      this.#failure = new StorageError('NOT_FOUND', 'The file was removed while it was being written.');
    });
  }

  acquire(): void {
    this.#handles++;
  }

  /** With the last handle, what was written since the last commit is given up. @returns whether that was the last */
  async release(): Promise<boolean> {
    this.#handles--;
    if (this.#handles > 0) return false;
    await this.#run(async () => {
      if (this.#handles === 0) await this.#dropDraft();
    });
    return this.#handles === 0;
  }

  #readableDraft(): MemoryDraft | SpoolDraft | undefined {
    return this.#draft instanceof StreamDraft ? undefined : this.#draft;
  }

  get #bytes(): number {
    return this.#draft?.bytes ?? this.#stored?.bytes ?? 0;
  }

  #run<T>(work: () => Promise<T>): Promise<T> {
    this.#pending++;
    const turn = this.#last.then(work).finally(() => this.#pending--);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  #demandSound(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  async #write(offset: number, data: Buffer): Promise<void> {
    const end = offset + data.length;
    demandLength(end);
    if (this.#draft instanceof StreamDraft && !this.#draft.takes(offset, data.length)) await this.#commit();
    this.#draft ??= await this.#begin(end);
    if (this.#draft instanceof MemoryDraft && !this.#draft.reserve(end)) {
      this.#draft = await this.#outgrow(this.#draft, offset);
    }
    await this.#draft.write(offset, data);
    this.#changed();
  }

  async #truncate(bytes: number): Promise<void> {
    if (bytes === this.#bytes) return;
    if (this.#draft instanceof StreamDraft) await this.#commit();
    // Of a file that is emptied nothing is read.
    if (bytes === 0) {
      await this.#dropDraft();
      this.#draft = new MemoryDraft(this.#parts.memory);
    }
    let draft = (this.#draft ??= await this.#begin(bytes));
    if (draft instanceof MemoryDraft && !draft.reserve(bytes)) this.#draft = draft = await this.#toSpool(draft);
    if (!(draft instanceof StreamDraft)) await draft.truncate(bytes);
    this.#changed();
  }

  #changed(): void {
    this.#isChanged = true;
    if (!this.#isDated) this.#modifiedMs = Date.now();
  }

  /** What the first write to a stored version goes to, the file having `bytes` then. */
  async #begin(bytes: number): Promise<MemoryDraft | SpoolDraft> {
    const stored = this.#stored;
    const storedBytes = stored?.bytes ?? 0;
    const draft = new MemoryDraft(this.#parts.memory);
    if (Math.max(bytes, storedBytes) > SFTP_MEMORY_FILE_BYTES || !draft.reserve(storedBytes)) {
      return this.#spool();
    }
    try {
      let at = 0;
      for (const part of await this.#readStored(0, storedBytes)) {
        await draft.write(at, part);
        at += part.length;
      }
      return draft;
    } catch (error) {
      await draft.close();
      throw error;
    }
  }

  /** From memory to the peers when it grows at its end, else to a spool. */
  async #outgrow(draft: MemoryDraft, offset: number): Promise<SpoolDraft | StreamDraft<VersionId>> {
    if (offset !== draft.bytes || this.#isDetached || !this.#parts.streams.take(1)) return this.#toSpool(draft);
    const begun = Buffer.concat(await draft.read(0, draft.bytes));
    await draft.close();
    const stream = new StreamDraft((source, signal) => this.#put(source, signal));
    this.#draft = stream;
    await stream.write(0, begun);
    return stream;
  }

  async #toSpool(draft: MemoryDraft): Promise<SpoolDraft> {
    const spool = await this.#spool(draft);
    await spool.truncate(draft.bytes);
    await spool.write(0, Buffer.concat(await draft.read(0, draft.bytes)));
    await draft.close();
    return spool;
  }

  /** @param instead all of what the file is */
  async #spool(instead?: MemoryDraft): Promise<SpoolDraft> {
    const { spools, spool } = this.#parts;
    if (!spools.take(1)) {
      throw new StorageError(
        'LIMIT_EXCEEDED',
        'Too many files are written to in the middle at once. Close some first.',
      );
    }
    const stored = instead === undefined ? this.#stored : undefined;
    const base = {
      bytes: stored?.bytes ?? 0,
      read: (range: { from: number; to: number }): AsyncIterable<Uint8Array> =>
        stored?.read(this.#session(), range, NEVER) ?? nothing(),
    };
    try {
      return await SpoolDraft.open(spool, base);
    } catch (error) {
      spools.give(1);
      throw error;
    }
  }

  /** A part that is missing is told of by each call from then on, also by the close: what is cut is never stored. */
  async #whole(work: () => Promise<void>): Promise<void> {
    this.#demandSound();
    try {
      await work();
    } catch (error) {
      await this.#fail(error);
      throw error;
    }
  }

  async #fail(error: unknown): Promise<void> {
    this.#failure = wrapError(error, 'Writing the file');
    await this.#dropDraft();
  }

  async #commit(): Promise<void> {
    if (!this.#isChanged || this.#isDetached) return;
    const draft = this.#draft;
    try {
      if (draft instanceof StreamDraft) await draft.finish();
      else await this.#put(draft?.source() ?? nothing(), NEVER);
    } catch (error) {
      if (draft instanceof StreamDraft) await this.#fail(error);
      throw error;
    }
    await this.#dropDraft();
    this.#isDated = false;
    this.#stored = await this.#open();
    this.#mode = this.#stored.mode;
    this.#modifiedMs = this.#stored.modifiedMs;
  }

  /** Time and mode are those of the moment when all bytes are there. */
  #put(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<VersionId> {
    const read = { mode: (): number => this.#mode, modifiedMs: (): number => this.#modifiedMs };
    const file = {
      path: this.#path,
      source,
      get mode(): number {
        return read.mode();
      },
      get modifiedMs(): number {
        return read.modifiedMs();
      },
    };
    return this.#parts.content.put(this.#session(), file, signal);
  }

  #open(): Promise<StoredContent> {
    return this.#parts.content.open(this.#session(), this.#path);
  }

  async #readStored(from: number, to: number): Promise<Uint8Array[]> {
    const parts: Uint8Array[] = [];
    if (this.#stored === undefined || from >= to) return parts;
    for await (const part of this.#stored.read(this.#session(), { from, to }, NEVER)) parts.push(part);
    return parts;
  }

  async #dropDraft(): Promise<void> {
    const draft = this.#draft;
    this.#draft = undefined;
    this.#isChanged = false;
    if (draft === undefined) return;
    if (draft instanceof StreamDraft) {
      this.#parts.streams.give(1);
      await draft.abort();
      return;
    }
    if (draft instanceof SpoolDraft) this.#parts.spools.give(1);
    await draft.close();
  }
}

function demandLength(bytes: number): void {
  if (bytes <= MAX_SFTP_FILE_BYTES) return;
  throw new StorageError('LIMIT_EXCEEDED', 'A file has 16 TiB at most.');
}

async function* nothing(): AsyncGenerator<Uint8Array> {
  // An empty file.
}
