import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import { DataStore, Upload } from '@tus/server';
import { z } from 'zod';
import { toHex } from '../../bytes.js';
import type { Session } from '../../catalog/catalog.js';
import type { FileId, VersionId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { appendToDraft } from '../../file/draft/append.js';
import { noSuchDraft, parseDraftId, type DraftHead, type DraftSummary } from '../../file/draft/draft.js';
import { finishDraft } from '../../file/draft/finish.js';
import { discardDraft } from '../../file/draft/give-up.js';
import { resumeDraft } from '../../file/draft/resume.js';
import type { Engine } from '../../file/engine.js';
import { DRAFT_LIFETIME_MS, MAX_PATH_BYTES, MAX_UPLOAD_SOURCE_BYTES } from '../../limits.js';
import { timeOf } from './replies.js';
import { check } from './requests.js';

const DEFAULT_MODE = 0o644;
const number = z
  .string()
  .regex(/^-?[0-9]{1,16}$/, 'a decimal number')
  .transform(Number);

/** What Upload-Metadata says. Other keys are a client's own business. */
const METADATA = z.object({
  path: z.string().min(1).max(MAX_PATH_BYTES),
  modified: number.pipe(z.number().max(8.64e15)).optional(),
  mode: number.pipe(z.number().min(0).max(0o7777)).optional(),
  overwrite: z.enum(['true', 'false']).optional(),
  source: z.string().max(MAX_UPLOAD_SOURCE_BYTES).optional(),
});

/** The drafts of one user as what the tus server stores uploads in: without a copy of any byte on this machine's disk. */
export class DraftStore extends DataStore {
  readonly #engine: Engine;
  readonly #session: Session;
  readonly #end: AbortSignal;

  /** @param end of what is under way, at once; a client that leaves does not end it */
  constructor(engine: Engine, session: Session, end: AbortSignal) {
    super();
    this.#engine = engine;
    this.#session = session;
    this.#end = end;
    this.extensions = ['creation', 'creation-with-upload', 'termination', 'expiration'];
  }

  override async create(upload: Upload): Promise<Upload> {
    const draft = await this.#engine.drafts.begin(this.#session, await this.#headOf(upload), parseDraftId(upload.id));
    draft.release();
    upload.creation_date = new Date().toISOString();
    return upload;
  }

  override write(stream: Readable, id: string, offset: number): Promise<number> {
    const options = { offset, source: stream as AsyncIterable<Uint8Array>, signal: this.#end };
    return appendToDraft(this.#engine, this.#session, parseDraftId(id), options);
  }

  /** Once whoever adds to it has ended. */
  override async getUpload(id: string): Promise<Upload> {
    const draft = parseDraftId(id);
    const { drafts } = this.#engine;
    await drafts.settled(draft);
    const done = await drafts.finished(this.#session, draft);
    if (done !== undefined) return new Upload({ id, size: done.bytes, offset: done.bytes, metadata: metadataOf(done) });
    const found = await drafts.look(this.#session, draft);
    if (found.origin.kind === 'local') throw noSuchDraft();
    const { bytes, offset } = found;
    return new Upload({ id, size: bytes, offset, metadata: metadataOf(found), creation_date: touched(found) });
  }

  override remove(id: string): Promise<void> {
    return discardDraft(this.#engine, this.#session, parseDraftId(id));
  }

  /** From the last sign of life on, which the tus server takes for the upload's creation. */
  override getExpiration(): number {
    return DRAFT_LIFETIME_MS;
  }

  /** @throws StorageError NOT_FOUND for another user's */
  demandOwn(id: string): void {
    if (!this.#engine.drafts.isOwn(this.#session, id)) throw noSuchDraft();
  }

  /** Makes a file visible that is whole, unless it is already. @throws StorageError as finishDraft */
  async finish(id: string): Promise<VersionId> {
    const { drafts } = this.#engine;
    const done = await drafts.finished(this.#session, parseDraftId(id));
    if (done !== undefined) return done.version;
    await using draft = await resumeDraft(this.#engine, this.#session, parseDraftId(id), this.#end);
    if (!draft.isWhole) {
      throw new StorageError(
        'CONFLICT',
        `Peers have lost parts of this upload since. Ask how far it is, and go on there.`,
      );
    }
    return (await finishDraft(this.#engine, this.#session, draft)).version;
  }

  async #headOf({ metadata, size }: Upload): Promise<DraftHead> {
    const { path, modified, mode, overwrite, source } = check(METADATA, metadata ?? {});
    if (size === undefined || !Number.isSafeInteger(size)) {
      throw new StorageError('INVALID_ARGUMENT', 'Upload-Length has to say how long the file is.');
    }
    const [file] = await this.#engine.catalog.fileIds(this.#session, [path]);
    if (file !== undefined && overwrite === 'false') {
      throw new StorageError('ALREADY_EXISTS', `There is something at ${path} already.`);
    }
    return {
      path,
      bytes: size,
      modifiedMs: Math.max(modified ?? Date.now(), 0),
      mode: mode ?? DEFAULT_MODE,
      file: file ?? (toHex(randomBytes(16)) as FileId),
      version: toHex(randomBytes(16)) as VersionId,
      createdMs: Date.now(),
      origin: { kind: 'remote', source: source ?? '', overwrite: overwrite !== 'false' },
    };
  }
}

function touched({ expiresMs }: DraftSummary): string {
  return timeOf(expiresMs - DRAFT_LIFETIME_MS);
}

function metadataOf({ path, modifiedMs, mode, origin }: DraftHead): Record<string, string> {
  const remote = origin.kind === 'remote' ? { overwrite: String(origin.overwrite), source: origin.source } : {};
  return { path, modified: String(modifiedMs), mode: String(mode), ...remote };
}
