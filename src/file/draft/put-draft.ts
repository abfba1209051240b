import { randomBytes } from 'node:crypto';
import { toHex } from '../../bytes.js';
import type { Session } from '../../catalog/catalog.js';
import type { FileId, VersionId } from '../../chunk/ids.js';
import { soloExtentPlainBytes } from '../../chunk/stripe-layout.js';
import { StorageError, wrapError } from '../../errors.js';
import { DRAFT_MIN_BYTES } from '../../limits.js';
import type { Scheme } from '../../peers/scheme.js';
import type { Engine } from '../engine.js';
import { stripeCapacity } from '../pack.js';
import type { PutEvents, PutFile, PutResult } from '../put-file.js';
import type { LocalSource } from '../worker/protocol.js';
import type { DraftSummary } from './draft.js';
import { finishDraft } from './finish.js';
import { discardDraft, giveUp } from './give-up.js';
import type { OpenDraft } from './open-draft.js';
import { PartWriter } from './part-writer.js';
import { resumeDraft } from './resume.js';
import { cut } from './spans.js';

/** A local file that is put as a draft. */
export type LargeFile = PutFile & { readonly source: LocalSource };

export function isLarge(file: PutFile): file is LargeFile {
  return 'local' in file.source && file.source.fileBytes >= DRAFT_MIN_BYTES;
}

export interface DraftPutsOptions {
  readonly engine: Engine;
  readonly session: Session;
  readonly scheme: Scheme;
  readonly events: PutEvents;
  readonly turn: () => Promise<() => void>;
  readonly signal: AbortSignal;
}

/** The large files of one put: each is a draft, and one that an earlier put has left is gone on with. */
export class DraftPuts {
  readonly #options: DraftPutsOptions;
  /** Those that earlier puts have left, by local file and path. */
  #left: Promise<Map<string, DraftSummary>> | undefined;
  readonly #ending = new Set<Promise<void>>();

  constructor(options: DraftPutsOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the last of its stripes is being stored; how it ends is told by the events.
   *
   * @param file id under which a new version is to be written
   * @returns false when it has to be put without a draft
   * @throws `signal.reason` on abort
   */
  async add(file: LargeFile, id: FileId): Promise<boolean> {
    let draft: OpenDraft | undefined;
    try {
      draft = await this.#open(file, id);
    } catch (error) {
      this.#options.signal.throwIfAborted();
      this.#options.events.onFailed(file, wrapError(error, `Storing ${file.path}`));
      return true;
    }
    if (draft === undefined) return false;
    const writer = this.#writer(draft);
    try {
      await this.#submit(file, draft, writer);
    } finally {
      const ending = this.#end(file, draft, writer).finally(() => this.#ending.delete(ending));
      this.#ending.add(ending);
    }
    return true;
  }

  /** Resolves when all files that were added have ended. Never rejects. */
  async idle(): Promise<void> {
    while (this.#ending.size > 0) await Promise.all(this.#ending);
  }

  /** The one that an earlier put has left, or a new one; none where there may be no more, or somebody else puts the file. */
  async #open(file: LargeFile, id: FileId): Promise<OpenDraft | undefined> {
    const { engine, session, events } = this.#options;
    this.#left ??= this.#findLeft();
    const left = await this.#left;
    const earlier = left.get(keyOf(file.source.local, file.path));
    left.delete(keyOf(file.source.local, file.path));
    const isSame = earlier !== undefined && isOf(earlier, file);
    try {
      if (file.resume === false || (earlier !== undefined && !isSame)) {
        if (earlier !== undefined) await discardDraft(engine, session, earlier.id);
        if (file.resume === false) return undefined;
      }
      const again = isSame ? await this.#again(earlier) : undefined;
      const draft = again ?? (await engine.drafts.begin(session, headOf(file, id)));
      events.onDraft?.(file, {
        id: draft.id,
        storedBytes: draft.storedBytes,
        changed: earlier !== undefined && !isSame,
      });
      return draft;
    } catch (error) {
      // Somebody else puts this very file just now, or has put it, or there are too many.
      if (StorageError.is(error, 'CONFLICT', 'LIMIT_EXCEEDED')) return undefined;
      throw error;
    }
  }

  /** @returns undefined when it is of no use any more */
  async #again({ id }: DraftSummary): Promise<OpenDraft | undefined> {
    const { engine, session, signal } = this.#options;
    let draft: OpenDraft;
    try {
      draft = await resumeDraft(engine, session, id, signal);
    } catch (error) {
      if (!StorageError.is(error, 'NOT_FOUND', 'CORRUPT')) throw error;
      if (error.code === 'CORRUPT') await engine.drafts.abandon(id);
      return undefined;
    }
    if (!(await this.#isSuperseded(draft))) return draft;
    await finishDraft(engine, session, draft);
    draft.release();
    return undefined;
  }

  /** The process ended when its version was visible already, and something else has become of the file since. */
  async #isSuperseded(draft: OpenDraft): Promise<boolean> {
    if (!draft.isWhole) return false;
    const { engine, session } = this.#options;
    const { version, path } = draft.head;
    if (!(await engine.catalog.knownVersions(session, [version])).has(version)) return false;
    const [current] = await engine.catalog.manifests(session, [path]);
    return current?.version !== version;
  }

  async #findLeft(): Promise<Map<string, DraftSummary>> {
    const { engine, session } = this.#options;
    const found = new Map<string, DraftSummary>();
    for (const draft of await engine.drafts.list(session)) {
      const { origin, path } = draft;
      if (origin.kind === 'local') found.set(keyOf(origin.local, path), draft);
    }
    return found;
  }

  #writer(draft: OpenDraft): PartWriter {
    const { engine, session, scheme, turn, signal, events } = this.#options;
    const onProgress = events.onProgress ?? ((): void => undefined);
    return new PartWriter({ engine, session, draft, scheme, turn, signal, onProgress });
  }

  async #submit({ source, path }: LargeFile, draft: OpenDraft, writer: PartWriter): Promise<void> {
    const pieceBytes = soloExtentPlainBytes(stripeCapacity(this.#options.scheme.k), path);
    for (const gap of draft.gaps) {
      for (const span of cut(gap, pieceBytes)) {
        if (writer.failure !== undefined) return;
        await writer.submit({ ...span, source });
      }
    }
  }

  /** Never rejects. */
  async #end(file: LargeFile, draft: OpenDraft, writer: PartWriter): Promise<void> {
    const { engine, session, events, signal } = this.#options;
    try {
      await writer.idle();
      if (writer.failure !== undefined) throw writer.failure;
      signal.throwIfAborted();
      const result: PutResult = await finishDraft(engine, session, draft);
      events.onStored(file, result);
    } catch (error) {
      const failure = wrapError(error, `Storing ${file.path}`);
      if (isUseless(draft, writer, failure)) await this.#giveUp(draft);
      if (!signal.aborted) events.onFailed(file, failure);
    } finally {
      draft.release();
    }
  }

  async #giveUp(draft: OpenDraft): Promise<void> {
    const { engine, session } = this.#options;
    try {
      await giveUp(engine, session, draft);
    } catch (error) {
      engine.logger.warn({ draft: draft.id, err: error }, 'an upload could not be given up; it will expire');
    }
  }
}

/** A draft stays for the next put, unless that could do nothing with it: the file has changed, or the journal is damaged. */
function isUseless(draft: OpenDraft, { failure, sourceFailed }: PartWriter, { code }: StorageError): boolean {
  if (draft.storedBytes === 0) return true;
  return failure === undefined ? code === 'CORRUPT' : sourceFailed && code === 'CONFLICT';
}

function keyOf(local: string, path: string): string {
  return `${local}\0${path}`;
}

/** The local file is the one that the draft was begun with, as far as its system tells. */
function isOf({ origin, bytes, mode }: DraftSummary, file: LargeFile): boolean {
  const { inode, modifiedMs, fileBytes } = file.source;
  if (origin.kind !== 'local') return false;
  return origin.inode === inode && origin.modifiedMs === modifiedMs && bytes === fileBytes && mode === file.mode;
}

function headOf({ path, modifiedMs, mode, source }: LargeFile, id: FileId): Parameters<Engine['drafts']['begin']>[1] {
  return {
    path,
    bytes: source.fileBytes,
    modifiedMs,
    mode,
    file: id,
    version: toHex(randomBytes(16)) as VersionId,
    createdMs: Date.now(),
    origin: { kind: 'local', local: source.local, inode: source.inode, modifiedMs: source.modifiedMs },
  };
}
