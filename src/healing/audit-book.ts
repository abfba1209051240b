import {
  idBytes,
  parseChunkId,
  parsePeerId,
  parseStripeId,
  type ChunkId,
  type PeerId,
  type StripeId,
} from '../chunk/ids.js';
import {
  AUDIT_FAULTS_KEPT,
  AUDITS_KEPT,
  DISTRUST_AFTER_FAULTS,
  DISTRUST_AFTER_STALLS,
  DISTRUST_PAROLE_MS,
  TRUST_AFTER_PASSES,
} from '../limits.js';
import { Denials } from './denials.js';
import { blobOf, integerOf, textOf } from '../store/columns.js';
import type { Database, Row, Statement } from '../store/sqlite.js';

/**
 * passed: it holds the segment. missing: it says that it does not hold the chunk. corrupt: it cannot read it, or sent what it
 * is not. unreachable: it answers nobody. stalled: it answers, but not this.
 */
export type AuditOutcome = 'passed' | 'missing' | 'corrupt' | 'unreachable' | 'stalled';

/** What is asked for: one segment of a chunk that a peer should hold. */
export interface AuditQuestion {
  readonly peer: PeerId;
  readonly stripe: StripeId;
  readonly chunk: ChunkId;
  readonly segment: number;
}

export interface AuditResult extends AuditQuestion {
  /** Unix time. */
  readonly atMs: number;
  readonly outcome: AuditOutcome;
}

/** How a peer has stood audits. */
export interface AuditRecord extends Readonly<Record<AuditOutcome, number>> {
  readonly streak: number;
  readonly faults: number;
  readonly stalls: number;
  /** Unix time; 0: it is trusted. */
  readonly distrustedMs: number;
}

const NO_RECORD: AuditRecord = {
  ...{ passed: 0, missing: 0, corrupt: 0, unreachable: 0, stalled: 0 },
  ...{ streak: 0, faults: 0, stalls: 0, distrustedMs: 0 },
};

const COLUMNS = 'peer, passed, missing, corrupt, unreachable, stalled, streak, faults, stalls, distrusted_ms';

const STATEMENTS = {
  peers: `SELECT ${COLUMNS} FROM audited_peers`,
  putPeer: `INSERT OR REPLACE INTO audited_peers (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  faults: 'SELECT peer, stripe, chunk, segment, outcome, at_ms FROM audit_faults ORDER BY at_ms',
  putFault:
    'INSERT OR REPLACE INTO audit_faults (peer, stripe, chunk, segment, outcome, at_ms) VALUES (?, ?, ?, ?, ?, ?)',
  dropFault: 'DELETE FROM audit_faults WHERE peer = ? AND chunk = ?',
  add: 'INSERT INTO audits (peer, stripe, chunk, segment, outcome, at_ms) VALUES (?, ?, ?, ?, ?, ?)',
  newest: 'SELECT peer, stripe, chunk, segment, outcome, at_ms FROM audits ORDER BY id DESC LIMIT ?',
  forget: `DELETE FROM audits WHERE id <= (SELECT max(id) FROM audits) - ${String(AUDITS_KEPT)}`,
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/** What this peer has found out about others by audits, on its own disk, and whom it therefore trusts. Told to nobody. */
export class AuditBook {
  readonly #state: Database;
  readonly #clock: () => number;
  readonly #sql: Statements;
  readonly #peers = new Map<PeerId, AuditRecord>();
  /** By "peer chunk", the oldest first. */
  readonly #faults = new Map<string, AuditResult>();
  /** What peers say themselves that they do not have. */
  readonly denials: Denials;
  #revision = 0;
  readonly #onTrust: (distrusted: ReadonlySet<PeerId>) => void;

  /** @param onTrust told at once, and whenever somebody is distrusted or trusted again */
  constructor(state: Database, clock: () => number, onTrust: (distrusted: ReadonlySet<PeerId>) => void) {
    this.#state = state;
    this.#clock = clock;
    this.#sql = state.prepareAll(STATEMENTS);
    this.#onTrust = onTrust;
    this.denials = new Denials(state);
    for (const row of this.#sql.peers.all()) this.#peers.set(parsePeerId(blobOf(row, 'peer')), recordOf(row));
    for (const fault of this.#sql.faults.all().map(resultOf)) this.#faults.set(keyOf(fault.peer, fault.chunk), fault);
    onTrust(this.distrusted());
  }

  /** Settled results only: what is wrong was looked at twice. Durable when it resolves. */
  async add(result: AuditResult): Promise<void> {
    const { atMs, peer, chunk, segment, outcome } = result;
    const known = this.#faults.get(keyOf(peer, chunk));
    const before = this.of(peer);
    const key = keyOf(peer, chunk);
    const isFault = outcome === 'missing' || outcome === 'corrupt';
    const now = judge(before, { outcome, isNew: known === undefined, atMs });
    // A pass proves one segment; a chunk that was missing is there again with any.
    const isMended = outcome === 'passed' && (known?.outcome === 'missing' || known?.segment === segment);
    await this.#state.write(() => {
      this.#sql.add.run(...resultRow(result));
      this.#sql.forget.run();
      this.#sql.putPeer.run(...rowOf(peer, now));
      if (isFault) this.#sql.putFault.run(...resultRow(result));
      if (isMended) this.#sql.dropFault.run(idBytes(peer), idBytes(chunk));
    });
    this.#peers.set(peer, now);
    if (isFault || isMended) this.#revision++;
    if (isFault) this.#faults.set(key, result);
    if (isMended) this.#faults.delete(key);
    await this.#bound();
    if ((before.distrustedMs === 0) !== (now.distrustedMs === 0)) this.#onTrust(this.distrusted());
  }

  /** The chunk lies elsewhere, or is well again: no repair is due because of this peer. */
  async settle(peer: PeerId, chunk: ChunkId): Promise<void> {
    await this.denials.settle([{ peer, chunk }]);
    if (!this.#faults.delete(keyOf(peer, chunk))) return;
    this.#revision++;
    await this.#state.write(() => this.#sql.dropFault.run(idBytes(peer), idBytes(chunk)));
  }

  /** An audit, or the peer's own word, and a second look, found that the peer does not hold the chunk as it should. */
  isFaulty(peer: PeerId, chunk: ChunkId): boolean {
    return this.denials.isFault(peer, chunk) || this.#faults.has(keyOf(peer, chunk));
  }

  /** What audits found, the oldest first: AUDIT_FAULTS_KEPT at most. */
  faults(): readonly AuditResult[] {
    return [...this.#faults.values()];
  }

  /** Changes with every chunk that is faulty, or is not any more. */
  get revision(): number {
    return this.#revision + this.denials.revision;
  }

  of(peer: PeerId): AuditRecord {
    return this.#peers.get(peer) ?? NO_RECORD;
  }

  distrusted(): ReadonlySet<PeerId> {
    return new Set([...this.#peers].filter(([, { distrustedMs }]) => distrustedMs > 0).map(([peer]) => peer));
  }

  /** Gives those another chance whom nobody can audit any more, because their chunks lie elsewhere. */
  async parole(): Promise<void> {
    const untilMs = this.#clock() - DISTRUST_PAROLE_MS;
    for (const [peer, record] of this.#peers) {
      if (record.distrustedMs === 0 || record.distrustedMs > untilMs) continue;
      // The next fault is enough.
      const now = { ...record, distrustedMs: 0, faults: DISTRUST_AFTER_FAULTS - 1, stalls: 0, streak: 0 };
      await this.#state.write(() => this.#sql.putPeer.run(...rowOf(peer, now)));
      this.#peers.set(peer, now);
      this.#onTrust(this.distrusted());
    }
  }

  newest(limit: number): readonly AuditResult[] {
    return this.#sql.newest.all(limit).map(resultOf);
  }

  async #bound(): Promise<void> {
    for (const { peer, chunk } of this.#faults.values()) {
      if (this.#faults.size <= AUDIT_FAULTS_KEPT) return;
      await this.settle(peer, chunk);
    }
  }
}

interface Judged {
  readonly outcome: AuditOutcome;
  /** The peer has not failed with this chunk before. */
  readonly isNew: boolean;
  readonly atMs: number;
}

/** Who does not answer at all is judged by Liveness, not here. */
function judge(before: AuditRecord, { outcome, isNew, atMs }: Judged): AuditRecord {
  const counted = { ...before, [outcome]: before[outcome] + 1 };
  if (outcome === 'unreachable') return counted;
  if (outcome === 'passed') {
    const streak = before.streak + 1;
    const isTrusted = streak >= TRUST_AFTER_PASSES;
    return { ...counted, streak, stalls: 0, ...(isTrusted && { faults: 0, distrustedMs: 0 }) };
  }
  const stalls = outcome === 'stalled' ? before.stalls + 1 : 0;
  const faults = before.faults + (outcome !== 'stalled' && isNew ? 1 : 0);
  const isTooMuch = faults >= DISTRUST_AFTER_FAULTS || stalls >= DISTRUST_AFTER_STALLS;
  const distrustedMs = before.distrustedMs > 0 || !isTooMuch ? before.distrustedMs : atMs;
  return { ...counted, streak: 0, stalls, faults, distrustedMs };
}

function keyOf(peer: PeerId, chunk: ChunkId): string {
  return `${peer} ${chunk}`;
}

function resultOf(row: Row): AuditResult {
  return {
    peer: parsePeerId(blobOf(row, 'peer')),
    stripe: parseStripeId(blobOf(row, 'stripe')),
    chunk: parseChunkId(blobOf(row, 'chunk')),
    segment: integerOf(row, 'segment'),
    outcome: textOf(row, 'outcome') as AuditOutcome,
    atMs: integerOf(row, 'at_ms'),
  };
}

function resultRow({ peer, stripe, chunk, segment, outcome, atMs }: AuditResult): (Uint8Array | number | string)[] {
  return [idBytes(peer), idBytes(stripe), idBytes(chunk), segment, outcome, atMs];
}

function recordOf(row: Row): AuditRecord {
  const count = (name: string): number => integerOf(row, name);
  return {
    passed: count('passed'),
    missing: count('missing'),
    corrupt: count('corrupt'),
    unreachable: count('unreachable'),
    stalled: count('stalled'),
    streak: count('streak'),
    faults: count('faults'),
    stalls: count('stalls'),
    distrustedMs: count('distrusted_ms'),
  };
}

function rowOf(peer: PeerId, record: AuditRecord): (Uint8Array | number)[] {
  const { passed, missing, corrupt, unreachable, stalled, streak, faults, stalls, distrustedMs } = record;
  return [idBytes(peer), passed, missing, corrupt, unreachable, stalled, streak, faults, stalls, distrustedMs];
}
