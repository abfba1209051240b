import { Numbers } from '../numbers.js';
import { FAULT_KINDS, isDestructive, type FaultKind } from './fault.js';

export interface PlannedFault {
  readonly kind: FaultKind;
  readonly peer: number;
}

/** Faults at the same time, at different peers; the next round begins when everything is healed. */
export interface Round {
  /** Without faults, before it. */
  readonly quietMs: number;
  readonly faults: readonly PlannedFault[];
  /** Until their causes are taken away. */
  readonly holdMs: number;
}

export interface Tolerance {
  readonly peers: readonly number[];
  /** Peers that may be faulty at once. */
  readonly faulty: number;
  /** Of these, peers that may lose bytes. */
  readonly destroyed: number;
  /** The only ones with databases that could be put back. */
  readonly hosts: readonly number[];
}

const QUIET_MS = { least: 2_000, most: 6_000 };
const HOLD_MS = { least: 1_500, most: 6_000 };
/** One round of so many lasts until others take the peers for gone (see the grace period of network/peers.ts), and act on it. */
const LONG_ONE_IN = 5;
const LONG_HOLD_MS = { least: 15_000, most: 25_000 };

/**
 * What a network may suffer whose stripes bear the loss of m chunks. A put may succeed with ⌈m/2⌉ chunks missing
 * (src/peers/scheme.ts), so that many fewer peers than m may lose bytes before all is whole again.
 */
export function toleranceOf(peers: readonly number[], m: number, hosts = peers): Tolerance {
  return { peers, hosts, faulty: m, destroyed: Math.max(0, m - Math.ceil(m / 2)) };
}

export interface PlanOptions {
  readonly tolerance: Tolerance;
  /** Of rounds. */
  readonly amount: number;
  /** Only these; all unless given. */
  readonly kinds?: ReadonlySet<FaultKind>;
}

/** Every kind comes once before any comes again, so that short campaigns see many. */
export function planRounds(
  seed: number,
  { tolerance, amount, kinds = new Set(FAULT_KINDS) }: PlanOptions,
): readonly Round[] {
  const numbers = new Numbers(seed, 'nemesis');
  const wanted = FAULT_KINDS.filter((kind) => kinds.has(kind));
  const bags = {
    passing: new Bag(
      wanted.filter((kind) => !isDestructive(kind)),
      numbers,
    ),
    destructive: new Bag(wanted.filter(isDestructive), numbers),
  };
  return Array.from({ length: amount }, () => {
    const drawn = drawKinds(tolerance, bags, numbers);
    const victims = new Set(numbers.shuffled(tolerance.peers));
    const hold = numbers.below(LONG_ONE_IN) === 0 ? LONG_HOLD_MS : HOLD_MS;
    return {
      quietMs: numbers.between(QUIET_MS.least, QUIET_MS.most),
      faults: drawn.flatMap((kind) => {
        const peer = [...victims].find((n) => kind !== 'old-couch' || tolerance.hosts.includes(n));
        if (peer === undefined) return [];
        victims.delete(peer);
        return { kind, peer };
      }),
      holdMs: numbers.between(hold.least, hold.most),
    };
  });
}

/** Of one round: one at least, while there is any. Halves harm all, so nothing comes on top of them. */
function drawKinds(
  { faulty, destroyed }: Tolerance,
  { passing, destructive }: { readonly passing: Bag; readonly destructive: Bag },
  numbers: Numbers,
): FaultKind[] {
  const mayHarm = passing.isEmpty ? destroyed : numbers.below(destroyed + 2);
  const harmed = destructive.isEmpty ? 0 : Math.min(mayHarm, destroyed);
  const away = passing.isEmpty ? 0 : numbers.between(harmed === 0 ? 1 : 0, faulty - harmed);
  const kinds = [
    ...Array.from({ length: away }, () => passing.draw()),
    ...Array.from({ length: harmed }, () => destructive.draw()),
  ].filter((kind) => kind !== undefined);
  return kinds.includes('split') ? ['split'] : kinds;
}

/** Gives everything once, in random order, then everything again. */
class Bag {
  readonly #all: readonly FaultKind[];
  readonly #numbers: Numbers;
  #left: FaultKind[] = [];

  constructor(all: readonly FaultKind[], numbers: Numbers) {
    this.#all = all;
    this.#numbers = numbers;
  }

  get isEmpty(): boolean {
    return this.#all.length === 0;
  }

  draw(): FaultKind | undefined {
    if (this.#left.length === 0) this.#left = this.#numbers.shuffled(this.#all);
    return this.#left.pop();
  }
}
