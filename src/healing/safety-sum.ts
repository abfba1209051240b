import type { PeerId, StripeId } from '../chunk/ids.js';
import { MAX_WORST_FILES } from '../limits.js';
import type { FileStripes, SafeFile } from './file-stripes.js';
import {
  judgeStripe,
  RECORD_LOST,
  type Layout,
  type Machines,
  type SafetyState,
  type StripeSafety,
} from './stripe-safety.js';

export interface FileCount {
  readonly files: number;
  readonly bytes: number;
}

/** A file that is lost or at risk. */
export interface WorstFile {
  readonly path: string;
  readonly bytes: number;
  readonly state: 'atRisk' | 'lost';
}

/** What may happen to a user's files, from what is stored and who answers. */
export interface FilesSafety {
  readonly files: Readonly<Record<SafetyState, FileCount>>;
  /** Of those, whatever their state: some chunk of theirs is to be rebuilt. */
  readonly waiting: FileCount;
  /** The lost ones first: MAX_WORST_FILES at most. */
  readonly worst: readonly WorstFile[];
  readonly stripes: number;
  /** Without one of their chunks, for now or for good. */
  readonly degradedStripes: number;
  /** Of which no record is to be had; degraded, too. */
  readonly unknownStripes: number;
  /** So many machines may fail, whichever they are; below 0: so many chunks of some stripe are missing, or a manifest is; undefined without stripes. */
  readonly mayFail: number | undefined;
  readonly zonesMayFail: number | undefined;
  /** Machines none of which may fail alone. */
  readonly vital: ReadonlySet<PeerId>;
  /** Zones none of which may fail as a whole. */
  readonly vitalZones: ReadonlySet<string>;
  /** By whom chunks are held. */
  readonly machines: Machines;
  /** Unix time when the catalog was looked at. */
  readonly atMs: number;
}

interface Parts {
  readonly stripes: FileStripes;
  /** Emptied, and filled with the stripes that are not healthy. */
  readonly urgent: Set<StripeId>;
}

/** @param denied by the stripe, a peer for each chunk that it does not have */
export function addUp(
  { stripes, urgent }: Parts,
  denied: ReadonlyMap<StripeId, readonly PeerId[]>,
  machines: Machines,
): SafetyTotal {
  const byLayout = new Map<Layout, StripeSafety>();
  const judge = (id: StripeId, layout: Layout | undefined): StripeSafety => {
    if (layout === undefined) return RECORD_LOST;
    const peers = denied.get(id);
    if (peers !== undefined) return judgeStripe(layout, peers, machines);
    const known = byLayout.get(layout) ?? judgeStripe(layout, [], machines);
    byLayout.set(layout, known);
    return known;
  };
  const sum = new SafetySum();
  urgent.clear();
  for (const stripe of stripes.stripes) {
    const { id, layout } = stripe;
    const safety = judge(id, layout);
    stripe.safety = safety;
    if (safety.state !== 'healthy') urgent.add(id);
    sum.addStripe(safety, layout === undefined);
  }
  for (const file of stripes.files) sum.addFile(file);
  return sum.total();
}

type SafetyTotal = Omit<FilesSafety, 'machines' | 'atMs'>;
type Counting = { -readonly [Name in keyof FileCount]: number };

const SEVERITY: Readonly<Record<SafetyState, number>> = { healthy: 0, degraded: 1, atRisk: 2, lost: 3 };

/** Adds up stripes, and then the files that lie in them. */
class SafetySum {
  readonly #files: Record<SafetyState, Counting> = {
    healthy: { files: 0, bytes: 0 },
    degraded: { files: 0, bytes: 0 },
    atRisk: { files: 0, bytes: 0 },
    lost: { files: 0, bytes: 0 },
  };
  readonly #waiting: Counting = { files: 0, bytes: 0 };
  readonly #worst: Record<'lost' | 'atRisk', WorstFile[]> = { lost: [], atRisk: [] };
  readonly #vital = new Set<PeerId>();
  readonly #vitalZones = new Set<string>();
  #stripes = 0;
  #degraded = 0;
  #unknown = 0;
  #mayFail = Number.POSITIVE_INFINITY;
  #zonesMayFail = Number.POSITIVE_INFINITY;

  addStripe({ isWhole, mayFail, zonesMayFail, vital, vitalZones }: StripeSafety, isUnknown: boolean): void {
    this.#stripes++;
    if (!isWhole) this.#degraded++;
    if (isUnknown) this.#unknown++;
    this.#mayFail = Math.min(this.#mayFail, mayFail);
    this.#zonesMayFail = Math.min(this.#zonesMayFail, zonesMayFail);
    for (const peer of vital) this.#vital.add(peer);
    for (const zone of vitalZones) this.#vitalZones.add(zone);
  }

  addFile({ path, bytes, stripes }: SafeFile): void {
    let state: SafetyState = stripes === undefined ? 'lost' : 'healthy';
    let isWaiting = false;
    if (stripes === undefined) {
      this.#mayFail = Math.min(this.#mayFail, -1);
      this.#zonesMayFail = Math.min(this.#zonesMayFail, -1);
    }
    for (const { safety } of stripes ?? []) {
      if (SEVERITY[safety.state] > SEVERITY[state]) ({ state } = safety);
      isWaiting ||= safety.isWaiting;
    }
    for (const count of isWaiting ? [this.#files[state], this.#waiting] : [this.#files[state]]) {
      count.files++;
      count.bytes += bytes;
    }
    if ((state === 'lost' || state === 'atRisk') && this.#worst[state].length < MAX_WORST_FILES) {
      this.#worst[state].push({ path, bytes, state });
    }
  }

  total(): SafetyTotal {
    return {
      files: this.#files,
      waiting: this.#waiting,
      worst: [...this.#worst.lost, ...this.#worst.atRisk].slice(0, MAX_WORST_FILES),
      ...{ stripes: this.#stripes, degradedStripes: this.#degraded, unknownStripes: this.#unknown },
      mayFail: Number.isFinite(this.#mayFail) ? this.#mayFail : undefined,
      zonesMayFail: Number.isFinite(this.#zonesMayFail) ? this.#zonesMayFail : undefined,
      ...{ vital: this.#vital, vitalZones: this.#vitalZones },
    };
  }
}
