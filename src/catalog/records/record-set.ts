import { StorageError } from '../../errors.js';
import type { Document, DocumentDatabase, Leaf } from '../../documents/document-database.js';
import { MAX_CHECKED_RECORDS } from '../../limits.js';
import type { RecordMemory } from '../../store/record-memory.js';
import {
  compareRecords,
  newerFormat,
  type OpenRecord,
  type RecordKind,
  signedOf,
  toRecordDocument,
} from './record-kind.js';
import type { RecordProblems } from './record-problems.js';
import { Refusals } from './refusals.js';

/** What a document's leaves, and this peer's memory, come to. */
export interface Resolved<T> {
  readonly id: string;
  /** undefined: nothing there is rightly signed. */
  readonly latest: OpenRecord<T> | undefined;
  /** Something there is of a format that this version does not know: nothing of it may be written over. */
  readonly newer: StorageError | undefined;
  /** Why something there was not believed; the last reason of several. */
  readonly refusal: StorageError | undefined;
}

export interface RecordSetParts {
  readonly database: DocumentDatabase;
  /** Absent: this reader only looks. It remembers nothing, and leaves mending to the one that does. */
  readonly memory: RecordMemory | undefined;
  readonly problems: RecordProblems;
  /** Unix time. */
  readonly now: () => number;
}

interface SoundLeaf<T> {
  readonly rev: string;
  readonly opened: OpenRecord<T>;
}

/**
 * The records of one kind. What the database calls the winner counts for nothing; of all that is rightly signed, in any
 * leaf and in this peer's memory, the latest does. So these are harmless:
 *
 * - A forged leaf beside the right one, of whatever generation: it is left out, and ended.
 * - A tombstone, or garbage, on the very branch: `validate` (src/documents/rules) keeps it out at backup hosts and when a
 *   peer pulls. Where it got in all the same, the record comes from the memory, or from an older revision, and is written
 *   again.
 * - An older state of the whole database: the memory knows better, says so, and writes the record again.
 *
 * A peer that has never seen the later record cannot know that it is shown an earlier one (docs/threat-model.md).
 */
export class RecordSet<T> {
  readonly #parts: RecordSetParts;
  readonly #kind: RecordKind<T>;
  readonly #checked = new Map<string, OpenRecord<T> & { readonly id: string }>();
  #lastWrite: Promise<void> = Promise.resolve();
  #snapshot: { readonly sequence: string; readonly records: ReadonlyMap<string, Resolved<T>> } | undefined;

  constructor(kind: RecordKind<T>, parts: RecordSetParts) {
    this.#kind = kind;
    this.#parts = parts;
  }

  owns(id: string): boolean {
    return this.#kind.ids.test(id);
  }

  /** By id, in ascending order. */
  async all(): Promise<ReadonlyMap<string, Resolved<T>>> {
    // Before the listing: what is written meanwhile is read the next time.
    const sequence = await this.#parts.database.sequence();
    if (this.#snapshot?.sequence === sequence && this.#isValidNow(this.#snapshot.records))
      return this.#snapshot.records;
    const records = new Map<string, Resolved<T>>();
    for (const id of await this.#ids()) records.set(id, await this.get(id));
    this.#snapshot = { sequence, records };
    return records;
  }

  async get(id: string): Promise<Resolved<T>> {
    const { memory, problems } = this.#parts;
    const refusals = new Refusals();
    const leaves = await this.#liveLeaves(id, refusals);
    const remembered = memory?.get(id);
    const known = remembered && refusals.catch('memory', () => this.#openSigned(id, remembered.signed));
    const sound = leaves.flatMap(({ rev, document }): SoundLeaf<T>[] => {
      const opened = refusals.catch(rev, () => this.#following(this.#open(id, document), known));
      return opened === undefined ? [] : [{ rev, opened }];
    });
    const older = sound.length > 0 ? [] : await this.#olderTexts(id, known, refusals);
    const latest = [...sound.map(({ opened }) => opened), ...older, ...(known ? [known] : [])].sort(compareRecords)[0];
    const newer =
      latest !== undefined && latest.record === undefined
        ? newerFormat(this.#kind.what)
        : // A claim that nobody signed counts only where nothing else is there.
          sound.length === 0
          ? refusals.newer
          : undefined;
    if (newer !== undefined || refusals.last !== undefined) problems.refused(id, newer ?? refusals.last);
    else problems.solved(id);
    if (latest !== undefined && memory !== undefined) {
      await this.#settle(id, latest, { memory, leaves, sound, refusals, newer });
    }
    return { id, latest, newer, refusal: refusals.last };
  }

  /** What the disk has damaged is as good as gone: the memory has the record, and no other suffers. */
  async #liveLeaves(id: string, refusals: Refusals): Promise<readonly Leaf[]> {
    const leaves = await refusals.catchDamage('leaves', () => this.#parts.database.leaves(id));
    return (leaves ?? []).filter((leaf) => !leaf.deleted);
  }

  /** The signed part of every text of a document that can still be read at this peer, in no order; right or not. */
  async texts(id: string): Promise<readonly Uint8Array[]> {
    const { database, memory } = this.#parts;
    const refusals = new Refusals();
    const remembered = memory?.get(id);
    const texts = (await database.texts(id)).flatMap(
      (document) => refusals.catch('text', () => signedOf(document, this.#kind.what)) ?? [],
    );
    return remembered === undefined ? texts : [...texts, remembered.signed];
  }

  /**
   * Writes the next record of an id.
   *
   * @param sign @returns the encoded Signed, with this counter
   * @throws StorageError UNSUPPORTED when something there is of a newer format
   */
  write(id: string, sign: (counter: number) => Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const { latest, newer } = await this.get(id);
      if (newer !== undefined) throw newer;
      // Also above one that is not right any more, like the record of a certificate that has expired.
      const counter = Math.max(latest?.counter ?? 0, this.#parts.memory?.get(id)?.counter ?? 0);
      await this.#store(this.#kind.open(sign(counter + 1)));
    });
  }

  /** Writes a record that is signed already, unless a later one is known. @throws StorageError as RecordKind.open */
  put(signed: Uint8Array): Promise<void> {
    return this.#inTurn(async () => {
      const opened = this.#kind.open(signed);
      this.#demandValid(opened);
      const { latest, newer } = await this.get(opened.id);
      if (newer !== undefined) throw newer;
      if (latest === undefined || compareRecords(this.#following(opened, latest), latest) < 0)
        await this.#store(opened);
    });
  }

  async #store({ id, counter, signed }: OpenRecord<T> & { readonly id: string }): Promise<void> {
    await this.#parts.database.put([toRecordDocument(this.#kind.type, id, signed)]);
    await this.#parts.memory?.put([{ id, counter, signed }]);
  }

  /** Of two writes at once the second has to see the counter of the first. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#lastWrite.then(work);
    this.#lastWrite = turn.catch(() => undefined);
    return turn;
  }

  /** Those that the database shows, and those that it may hide. */
  async #ids(): Promise<readonly string[]> {
    const { database, memory } = this.#parts;
    const prefix = this.#kind.type;
    const ids = new Set(memory?.list(prefix).map(({ id }) => id));
    for await (const page of database.list(prefix)) for (const { id } of page) ids.add(id);
    return [...ids].filter((id) => this.owns(id)).sort();
  }

  /** Where the branch itself was spoiled, what lies before the damage may still be there. */
  async #olderTexts(id: string, known: OpenRecord<T> | undefined, refusals: Refusals): Promise<OpenRecord<T>[]> {
    const texts = await refusals.catchDamage('texts', () => this.#parts.database.texts(id));
    return (texts ?? []).flatMap(
      (document) => refusals.catch('older', () => this.#following(this.#open(id, document), known)) ?? [],
    );
  }

  /** @throws StorageError CONFLICT for what cannot come after the record that this peer remembers */
  #following(opened: OpenRecord<T>, known: OpenRecord<T> | undefined): OpenRecord<T> {
    const { follows } = this.#kind;
    if (follows === undefined || opened.record === undefined || known?.record === undefined) return opened;
    if (compareRecords(opened, known) >= 0 || follows(opened.record, known.record)) return opened;
    throw new StorageError('CONFLICT', `This ${this.#kind.what} does not follow the one that this peer knows.`);
  }

  #open(id: string, document: Document): OpenRecord<T> {
    return this.#openSigned(id, signedOf(document, this.#kind.what));
  }

  #openSigned(id: string, signed: Uint8Array): OpenRecord<T> {
    const name = Buffer.from(signed).toString('base64');
    const checked = this.#checked.get(name);
    const opened = checked ?? this.#kind.open(signed);
    this.#demandValid(opened);
    if (opened.id !== id) {
      throw new StorageError('PERMISSION_DENIED', `This ${this.#kind.what} lies under the id of another one.`);
    }
    if (this.#checked.size >= MAX_CHECKED_RECORDS) this.#checked.clear();
    this.#checked.set(name, opened);
    return opened;
  }

  /** What a read repairs on its way. Where that fails, as on a full disk, what was read is no less right. */
  async #settle(id: string, latest: OpenRecord<T>, found: Found<T>): Promise<void> {
    try {
      await remember(found.memory, id, latest);
      if (found.newer === undefined) await this.#mend(id, latest, found);
    } catch (error) {
      this.#parts.problems.unmended(id, error);
    }
  }

  /** Brings the latest back where the database lost it; ends what is beside it. */
  async #mend(id: string, latest: OpenRecord<T>, { leaves, sound, refusals }: Found<T>): Promise<void> {
    const { database, problems } = this.#parts;
    const right = sound.filter(({ opened }) => compareRecords(opened, latest) === 0);
    if (right.length === 0) {
      const reason = `The database had lost its latest record, number ${String(latest.counter)}, or was put back to an older state; the record was written again.`;
      problems.note({ document: id, kind: 'replayed', reason });
      await database.put([toRecordDocument(this.#kind.type, id, latest.signed)]);
      return;
    }
    // The same at every peer that sees these leaves, or two peers would each end the other's.
    const kept = right.map(({ rev }) => rev).sort(compareRevisions)[0];
    const losing = leaves.map(({ rev }) => rev).filter((rev) => rev !== kept && !refusals.isSpared(rev));
    if (losing.length > 0) await database.removeLeaves(id, losing);
  }

  #demandValid(opened: OpenRecord<T>): void {
    if (this.#isValid(opened)) return;
    throw new StorageError(
      'UNAUTHENTICATED',
      `The certificate in this ${this.#kind.what} is not valid now. Check the clock, or let the peer join again.`,
    );
  }

  #isValid({ valid }: OpenRecord<T>): boolean {
    const now = this.#parts.now();
    return valid === undefined || (now >= valid.fromMs && now <= valid.untilMs);
  }

  #isValidNow(records: ReadonlyMap<string, Resolved<T>>): boolean {
    return [...records.values()].every(({ latest }) => latest === undefined || this.#isValid(latest));
  }
}

async function remember(
  memory: RecordMemory,
  id: string,
  { counter, signed }: Pick<OpenRecord<unknown>, 'counter' | 'signed'>,
): Promise<void> {
  const known = memory.get(id);
  // It may count higher and not be right any more, like a certificate that has expired: that stays known.
  if (known !== undefined && (known.counter > counter || Buffer.compare(known.signed, signed) === 0)) return;
  await memory.put([{ id, counter, signed }]);
}

interface Found<T> {
  readonly memory: RecordMemory;
  readonly leaves: readonly Leaf[];
  readonly sound: readonly SoundLeaf<T>[];
  readonly refusals: Refusals;
  readonly newer: StorageError | undefined;
}

/** As CouchDB orders leaves: the longer branch first, then the higher hash. */
function compareRevisions(a: string, b: string): number {
  const generation = (rev: string): number => Number.parseInt(rev, 10);
  return generation(b) - generation(a) || (a < b ? 1 : -1);
}
