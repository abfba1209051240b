import { DRAFT_LIFETIME_MS, SHORT_PART_BYTES } from '../../limits.js';
import type { DraftJournal, PartRow, PartSpan } from '../../store/draft-journal.js';
import type { DraftHead, DraftId, DraftSummary } from './draft.js';
import { placeOf, type DraftPart, type DraftSeal } from './draft-format.js';
import { contiguousBytes, gapsOf } from './spans.js';

export interface OpenDraftOptions {
  readonly id: DraftId;
  readonly head: DraftHead;
  readonly seal: DraftSeal;
  readonly journal: DraftJournal;
  readonly touchedMs: number;
  readonly clock: () => number;
  /** Called once, when nobody works on it any more. */
  readonly onReleased: () => void;
}

/** A draft that somebody works on; nobody else does until it is released. */
export class OpenDraft implements AsyncDisposable {
  readonly id: DraftId;
  readonly head: DraftHead;
  readonly #options: OpenDraftOptions;
  #spans: PartSpan[];
  #storedBytes: number;
  #touchedMs: number;
  #released = false;

  /** @param spans ascending, as the journal has them */
  constructor(options: OpenDraftOptions, spans: readonly PartSpan[]) {
    this.id = options.id;
    this.head = options.head;
    this.#options = options;
    this.#touchedMs = options.touchedMs;
    this.#spans = [...spans];
    this.#storedBytes = spans.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get storedBytes(): number {
    return this.#storedBytes;
  }

  /** The file is there up to here. */
  get offset(): number {
    return contiguousBytes(this.#spans);
  }

  get isWhole(): boolean {
    return this.#storedBytes === this.head.bytes;
  }

  /** What is missing, in the order of the file. */
  get gaps(): readonly PartSpan[] {
    return gapsOf(this.#spans, this.head.bytes);
  }

  /** Parts that are shorter than SHORT_PART_BYTES. */
  get shortParts(): number {
    return this.#spans.filter(({ bytes }) => bytes < SHORT_PART_BYTES).length;
  }

  get expiresMs(): number {
    return this.#touchedMs + DRAFT_LIFETIME_MS;
  }

  summary(): DraftSummary {
    const { id, head, storedBytes, expiresMs } = this;
    return { ...head, id, storedBytes, expiresMs, active: true };
  }

  /** The part is stored: it would survive a power cut when this resolves. */
  async keep(part: DraftPart): Promise<void> {
    const { journal, seal, clock } = this.#options;
    const place = placeOf(part);
    this.#touchedMs = clock();
    await journal.addPart(this.id, { ...place, sealed: seal.sealPart(part) }, this.#touchedMs);
    const { fileOffset, bytes } = place;
    const after = this.#spans.findLastIndex((span) => span.fileOffset < fileOffset);
    this.#spans.splice(after + 1, 0, { fileOffset, bytes });
    this.#storedBytes += bytes;
  }

  /** Some of the parts, as the journal has them. */
  rows(range: Parameters<DraftJournal['parts']>[1]): readonly PartRow[] {
    return this.#options.journal.parts(this.id, range);
  }

  /** @throws StorageError CORRUPT */
  open({ sealed, ...place }: PartRow): DraftPart {
    return this.#options.seal.openPart(place, sealed);
  }

  /** These parts are gone from the journal, durably, when this resolves. */
  async drop(rows: readonly PartRow[]): Promise<void> {
    const offsets = new Set(rows.map(({ fileOffset }) => fileOffset));
    await this.#options.journal.removeParts(this.id, [...offsets]);
    this.#spans = this.#spans.filter(({ fileOffset }) => !offsets.has(fileOffset));
    this.#storedBytes = this.#spans.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async remove(): Promise<void> {
    await this.#options.journal.remove([this.id]);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#options.onReleased();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.release();
    return Promise.resolve();
  }
}
