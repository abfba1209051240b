import { randomBytes } from 'node:crypto';
import type { Catalog, Session } from '../../catalog/catalog.js';
import { DIRECTORY_SALT_BYTES } from '../../chunk/directory.js';
import type { StripeId, VersionId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { DRAFT_LIFETIME_MS, FINISHED_DRAFT_MS, MAX_DRAFTS, MAX_FINISHED_DRAFTS } from '../../limits.js';
import type { Logger } from '../../log.js';
import { DraftJournal, type DraftRow } from '../../store/draft-journal.js';
import { draftIdOf, noSuchDraft, parseDraftId, type DraftHead, type DraftId, type DraftSummary } from './draft.js';
import { DraftSeal } from './draft-format.js';
import { OpenDraft } from './open-draft.js';
import { areSound, contiguousBytes } from './spans.js';

export interface DraftsOptions {
  /** Of the journal; made when missing. */
  readonly directory: string;
  readonly catalog: Catalog;
  /** The stripes of all drafts are added, lest anybody gives them back. */
  readonly pinned: Set<StripeId>;
  readonly clock: () => number;
  readonly logger: Logger;
}

/** The drafts of this peer. What they are of can be read while their owner is unlocked. */
export class Drafts implements AsyncDisposable {
  readonly #options: DraftsOptions;
  readonly #journal: DraftJournal;
  /** Those that somebody works on; each resolves at the end of that. */
  readonly #active = new Map<string, Promise<void>>();
  /** Those of which this process has begun to store parts, or has asked whether all are there. */
  readonly #confirmed = new Set<DraftId>();

  private constructor(options: DraftsOptions, journal: DraftJournal) {
    this.#options = options;
    this.#journal = journal;
  }

  static async open(options: DraftsOptions): Promise<Drafts> {
    const journal = await DraftJournal.open(options.directory);
    for (const stripe of journal.stripes()) options.pinned.add(stripe);
    return new Drafts(options, journal);
  }

  /** @param id a fresh one @throws StorageError LIMIT_EXCEEDED when the user has MAX_DRAFTS; LOCKED */
  async begin(session: Session, head: DraftHead, id = draftIdOf(randomBytes(16))): Promise<OpenDraft> {
    if (this.#journal.count(session.user) >= MAX_DRAFTS) {
      throw new StorageError(
        'LIMIT_EXCEEDED',
        `${String(MAX_DRAFTS)} uploads are not complete yet, and there may be no more. Complete some, or give them up: shoal uploads list, shoal uploads rm.`,
      );
    }
    const salt = randomBytes(DIRECTORY_SALT_BYTES);
    const { user: owner, generation } = session;
    const seal = await this.#seal(session, { id, salt, generation });
    const touchedMs = this.#options.clock();
    await this.#journal.add({ id, owner, generation, salt, head: seal.sealHead(head), touchedMs });
    const onReleased = this.#lease(id);
    this.#confirmed.add(id);
    return this.#opened({ id, head, seal, touchedMs, onReleased }, []);
  }

  /**
   * To work on it; it has to be released.
   *
   * @throws StorageError NOT_FOUND, also for another user's and a finished one; CONFLICT while somebody else works on it;
   * CORRUPT; LOCKED
   */
  async take(session: Session, id: DraftId): Promise<OpenDraft> {
    this.#demand(session, id);
    const onReleased = this.#lease(id);
    try {
      const row = this.#demand(session, id);
      const seal = await this.#seal(session, row);
      const head = seal.openHead(row.head);
      const spans = this.#journal.spans(id);
      if (!areSound(spans, head.bytes)) {
        throw new StorageError('CORRUPT', 'The journal of this upload is damaged. Give it up, and begin anew.');
      }
      return this.#opened({ id, head, seal, touchedMs: row.touchedMs, onReleased }, spans);
    } catch (error) {
      onReleased();
      throw error;
    }
  }

  /** The peers have what the journal says, as far as this process can know. */
  isConfirmed(id: DraftId): boolean {
    return this.#confirmed.has(id);
  }

  confirm(id: DraftId): void {
    this.#confirmed.add(id);
  }

  /** What it is and how far, without working on it. @throws StorageError NOT_FOUND, CORRUPT, LOCKED */
  async look(session: Session, id: DraftId): Promise<DraftSummary & { readonly offset: number }> {
    const row = this.#demand(session, id);
    const spans = this.#journal.spans(id);
    return { ...(await this.#summary(session, row)), offset: contiguousBytes(spans) };
  }

  /** The version that a finished draft became; undefined for any other. @throws StorageError LOCKED */
  async finished(session: Session, id: DraftId): Promise<(DraftHead & { readonly version: VersionId }) | undefined> {
    const row = this.#journal.get(id);
    if (row?.owner !== session.user || !row.finished) return undefined;
    return (await this.#seal(session, row)).openHead(row.head);
  }

  /** Resolves when nobody works on it. */
  async settled(id: DraftId): Promise<void> {
    await this.#active.get(id);
  }

  isOwn(session: Session, id: string): boolean {
    return this.#journal.get(parseDraftId(id))?.owner === session.user;
  }

  /** Those of the user that are not whole yet, the newest first. What cannot be read is left out. @throws StorageError LOCKED */
  async list(session: Session): Promise<readonly DraftSummary[]> {
    const found = await Promise.all(
      this.#journal.list(session.user).map(async (row) => {
        try {
          return await this.#summary(session, row);
        } catch (error) {
          if (StorageError.is(error, 'LOCKED', 'UNAVAILABLE')) throw error;
          this.#options.logger.warn({ draft: row.id, err: error }, 'an upload cannot be read; it will expire');
          return undefined;
        }
      }),
    );
    return found.filter((one) => one !== undefined);
  }

  /** Those of the user whose time is up. */
  expired({ user }: Session): readonly DraftId[] {
    const untilMs = this.#options.clock() - DRAFT_LIFETIME_MS;
    return this.#journal.stale(user, { finished: false, untilMs }).map(({ id }) => parseDraftId(id));
  }

  /** The file is visible. Its stripes stay pinned; that ends with the caller. */
  async finish(session: Session, id: DraftId): Promise<void> {
    const nowMs = this.#options.clock();
    await this.#journal.finish(id, { owner: session.user, nowMs, keep: MAX_FINISHED_DRAFTS });
  }

  /** What became of drafts long ago. */
  async forgetFinished({ user }: Session): Promise<void> {
    const untilMs = this.#options.clock() - FINISHED_DRAFT_MS;
    const old = this.#journal.stale(user, { finished: true, untilMs });
    if (old.length > 0) await this.#journal.remove(old.map(({ id }) => id));
  }

  /** A draft that cannot be read: its stripes are for whoever collects orphans. @throws StorageError CONFLICT */
  async abandon(id: DraftId): Promise<void> {
    const release = this.#lease(id);
    try {
      const stripes = this.#journal.parts(id, { from: 0, most: Number.MAX_SAFE_INTEGER }).map(({ stripe }) => stripe);
      await this.#journal.remove([id]);
      for (const stripe of stripes) this.#options.pinned.delete(stripe);
    } finally {
      release();
    }
  }

  close(): Promise<void> {
    return this.#journal.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #demand({ user }: Session, id: DraftId): DraftRow {
    const row = this.#journal.get(id);
    if (row?.owner !== user || row.finished) throw noSuchDraft();
    return row;
  }

  async #seal(session: Session, row: Pick<DraftRow, 'id' | 'salt' | 'generation'>): Promise<DraftSeal> {
    const key = await this.#options.catalog.directoryKey(session, row.salt, row.generation);
    return new DraftSeal(parseDraftId(row.id), key);
  }

  async #summary(session: Session, row: DraftRow): Promise<DraftSummary> {
    const head = (await this.#seal(session, row)).openHead(row.head);
    const storedBytes = this.#journal.spans(row.id).reduce((sum, { bytes }) => sum + bytes, 0);
    const expiresMs = row.touchedMs + DRAFT_LIFETIME_MS;
    return { ...head, id: parseDraftId(row.id), storedBytes, expiresMs, active: this.#active.has(row.id) };
  }

  #opened(
    draft: Omit<ConstructorParameters<typeof OpenDraft>[0], 'journal' | 'clock'>,
    spans: ConstructorParameters<typeof OpenDraft>[1],
  ): OpenDraft {
    return new OpenDraft({ ...draft, journal: this.#journal, clock: this.#options.clock }, spans);
  }

  #lease(id: DraftId): () => void {
    if (this.#active.has(id)) {
      throw new StorageError('CONFLICT', 'Somebody else adds to this upload just now. Wait for that, or end it.');
    }
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    this.#active.set(id, ended);
    return () => {
      this.#active.delete(id);
      end();
    };
  }
}
