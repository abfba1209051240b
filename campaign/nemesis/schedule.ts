import { Numbers } from '../numbers.js';
import { DESTRUCTIVE, PASSING, type FaultKind } from './fault.js';

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
}

const QUIET_MS = { least: 2_000, most: 6_000 };
const HOLD_MS = { least: 1_500, most: 6_000 };

/**
 * What a network may suffer whose stripes bear the loss of m chunks. A put may succeed with ⌈m/2⌉ chunks missing
 * (src/peers/scheme.ts), so that many fewer peers than m may lose bytes before all is whole again.
 */
export function toleranceOf(peers: readonly number[], m: number): Tolerance {
  return { peers, faulty: m, destroyed: Math.max(0, m - Math.ceil(m / 2)) };
}

/** Every kind comes once before any comes again, so that short campaigns see many. */
export function planRounds(seed: number, tolerance: Tolerance, amount: number): readonly Round[] {
  const numbers = new Numbers(seed, 'nemesis');
  const passing = new Bag(PASSING, numbers);
  const destructive = new Bag(DESTRUCTIVE, numbers);
  return Array.from({ length: amount }, () => {
    const destroyed = numbers.below(tolerance.destroyed + 1 + (tolerance.destroyed > 0 ? 1 : 0));
    const harmed = Math.min(destroyed, tolerance.destroyed);
    const away = numbers.between(harmed === 0 ? 1 : 0, tolerance.faulty - harmed);
    const victims = numbers.shuffled(tolerance.peers);
    const kinds = [
      ...Array.from({ length: harmed }, () => destructive.draw()),
      ...Array.from({ length: away }, () => passing.draw()),
    ];
    return {
      quietMs: numbers.between(QUIET_MS.least, QUIET_MS.most),
      faults: kinds.flatMap((kind, index) => {
        const peer = victims[index];
        return peer === undefined ? [] : { kind, peer };
      }),
      holdMs: numbers.between(HOLD_MS.least, HOLD_MS.most),
    };
  });
}

/** Gives everything once, in random order, then everything again. */
class Bag<T extends FaultKind> {
  readonly #all: readonly [T, ...T[]];
  readonly #numbers: Numbers;
  #left: T[] = [];

  constructor(all: readonly [T, ...T[]], numbers: Numbers) {
    this.#all = all;
    this.#numbers = numbers;
  }

  draw(): T {
    if (this.#left.length === 0) this.#left = this.#numbers.shuffled(this.#all);
    return this.#left.pop() ?? this.#all[0];
  }
}
