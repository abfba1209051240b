import type { PeerId } from '../chunk/ids.js';
import type { PeerRecord } from './peer-record.js';

/** A peer whose last call failed is passed over for this long, unless too few others are left. */
const DOWN_MS = 15_000;
/** A peer that sent what is not the chunk it was asked for is the last to be asked for this long. */
const DISTRUST_MS = 60_000;
/** Weight of the newest sample in the moving average of transfer speed. */
const SMOOTHING = 0.3;

interface Standing {
  downUntilMs: number;
  /** Moving average of milliseconds per MiB received; undefined before the first transfer. */
  paceMsPerMib: number | undefined;
  distrustedUntilMs: number;
  corruptAnswers: number;
  opened: string;
}

/**
 * Who is out there, and how they have answered lately. Liveness is measured by calls and kept in memory only: it is true
 * for this peer at this moment and for nobody else.
 */
export class PeerBook {
  readonly #records = new Map<PeerId, PeerRecord>();
  readonly #standings = new Map<PeerId, Standing>();
  readonly #clock: () => number;
  #distrusted: ReadonlySet<PeerId> = new Set();
  #onAnswer: ((id: PeerId) => void) | undefined;

  constructor(records: readonly PeerRecord[], clock: () => number = Date.now) {
    this.#clock = clock;
    this.update(records);
  }

  /** Takes over what the `network` database says; what was learnt about peers that stay is kept. */
  update(records: readonly PeerRecord[]): void {
    this.#records.clear();
    for (const record of records) this.#records.set(record.id, record);
    for (const id of this.#standings.keys()) if (!this.#records.has(id)) this.#standings.delete(id);
  }

  get(id: PeerId): PeerRecord | undefined {
    return this.#records.get(id);
  }

  /** For people: the first digits of its id where it has no record. */
  nameOf(id: PeerId): string {
    return this.get(id)?.name ?? id.slice(0, 12);
  }

  list(): PeerRecord[] {
    return [...this.#records.values()];
  }

  /** May this peer call us and hold our chunks? */
  isMember(id: PeerId): boolean {
    const record = this.#records.get(id);
    return record !== undefined && record.state !== 'removed';
  }

  /** Members that take new chunks, so that k and m follow from their number; this peer gives none to those that it distrusts. */
  targets(): PeerRecord[] {
    return this.list().filter((record) => record.state === 'member');
  }

  /** Takes over who failed audits: they get no new chunks from this peer, and are asked last. */
  distrust(peers: ReadonlySet<PeerId>): void {
    this.#distrusted = peers;
  }

  isTrusted(id: PeerId): boolean {
    return !this.#distrusted.has(id);
  }

  /** Tells one listener of every sign of life, right or wrong. */
  onAnswer(listener: (id: PeerId) => void): void {
    this.#onAnswer = listener;
  }

  seemsUp(id: PeerId): boolean {
    return (this.#standings.get(id)?.downUntilMs ?? 0) <= this.#clock();
  }

  reportFailure(id: PeerId): void {
    this.#standing(id).downUntilMs = this.#clock() + DOWN_MS;
  }

  reportSuccess(id: PeerId, transfer?: { readonly bytes: number; readonly ms: number }): void {
    const standing = this.#standing(id);
    standing.downUntilMs = 0;
    this.#onAnswer?.(id);
    if (transfer === undefined || transfer.bytes === 0) return;
    const pace = transfer.ms / (transfer.bytes / 2 ** 20);
    standing.paceMsPerMib =
      standing.paceMsPerMib === undefined ? pace : standing.paceMsPerMib * (1 - SMOOTHING) + pace * SMOOTHING;
  }

  /** By what its store is known since it was opened last. */
  reportOpened(id: PeerId, opened: string): void {
    this.#standing(id).opened = opened;
  }

  /** Another one than before: the peer was restarted since. Empty: it has not told yet. */
  opened(id: PeerId): string {
    return this.#standings.get(id)?.opened ?? '';
  }

  /** It sent what is not the chunk that it was asked for: damage or a lie. It is up, but others are asked first. */
  reportCorrupt(id: PeerId): void {
    const standing = this.#standing(id);
    standing.corruptAnswers++;
    standing.distrustedUntilMs = this.#clock() + DISTRUST_MS;
    this.#onAnswer?.(id);
  }

  /** Times that it did so since this process began. */
  corruptAnswers(id: PeerId): number {
    return this.#standings.get(id)?.corruptAnswers ?? 0;
  }

  /** For choosing sources: smaller is better. Unknown peers are tried before slow ones, those that seem down last. */
  pace(id: PeerId): number {
    const distrusted = !this.isTrusted(id) || (this.#standings.get(id)?.distrustedUntilMs ?? 0) > this.#clock();
    if (distrusted || !this.seemsUp(id)) return Number.POSITIVE_INFINITY;
    return this.#standings.get(id)?.paceMsPerMib ?? 0;
  }

  #standing(id: PeerId): Standing {
    let standing = this.#standings.get(id);
    if (standing === undefined) {
      standing = { downUntilMs: 0, paceMsPerMib: undefined, distrustedUntilMs: 0, corruptAnswers: 0, opened: '' };
      this.#standings.set(id, standing);
    }
    return standing;
  }
}
