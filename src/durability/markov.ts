import { type Assumptions, checkAssumptions, chunksByZone } from './assumptions.js';

/**
 * A stripe as a continuous-time Markov chain. A state says how many of its chunks are missing in each zone; zones of the same
 * size are alike, so states that differ in their order are one. The last state is the end: more than m chunks are missing.
 */
interface Chain {
  /** rates[i][j]: from state i to state j, per year; state 0 misses nothing. Nothing leaves the last state. */
  readonly rates: readonly (readonly number[])[];
}

/** How durable one stripe is. */
export interface Durability {
  /** Mean time until it is lost, in years. */
  readonly meanYearsToLoss: number;
  /** That it is lost within `years`. */
  lossProbability(years: number): number;
}

/** @throws StorageError INVALID_ARGUMENT for assumptions that make no sense */
export function stripeDurability(assumptions: Assumptions): Durability {
  checkAssumptions(assumptions);
  const chain = openChain(assumptions);
  return {
    meanYearsToLoss: meanTimeToEnd(chain),
    lossProbability: (years) => probabilityOfEnd(chain, years),
  };
}

interface Move {
  readonly to: readonly number[];
  readonly rate: number;
}

function openChain(assumptions: Assumptions): Chain {
  const sizes = chunksByZone(assumptions);
  const { m } = assumptions.scheme;
  const start = sizes.map(() => 0);
  const indexOf = new Map([[start.join(), 0]]);
  const states: (readonly number[])[] = [start];
  const moves: { readonly from: number; readonly to: number | undefined; readonly rate: number }[] = [];
  for (let from = 0; from < states.length; from++) {
    for (const { to, rate } of movesFrom(states[from] ?? start, sizes, assumptions)) {
      if (sum(to) > m) {
        moves.push({ from, to: undefined, rate });
        continue;
      }
      const state = inOrder(to, sizes);
      const known = indexOf.get(state.join());
      if (known === undefined) {
        indexOf.set(state.join(), states.length);
        states.push(state);
      }
      moves.push({ from, to: known ?? states.length - 1, rate });
    }
  }
  const end = states.length;
  const rates = Array.from({ length: end + 1 }, () => new Array<number>(end + 1).fill(0));
  for (const { from, to = end, rate } of moves) {
    const row = rates[from] ?? [];
    row[to] = (row[to] ?? 0) + rate;
  }
  return { rates };
}

function movesFrom(state: readonly number[], sizes: readonly number[], assumptions: Assumptions): Move[] {
  const { peerLossRate, zoneLossRate, repairTime } = assumptions;
  return state.flatMap((missing, zone) => {
    const size = sizes[zone] ?? 0;
    const left = size - missing;
    return [
      { to: state.with(zone, missing + 1), rate: left * peerLossRate },
      { to: state.with(zone, size), rate: left > 0 ? zoneLossRate : 0 },
      { to: state.with(zone, missing - 1), rate: missing / repairTime },
    ].filter(({ rate }) => rate > 0);
  });
}

/** Within zones of one size, most missing first. */
function inOrder(state: readonly number[], sizes: readonly number[]): number[] {
  return state
    .map((missing, zone) => ({ missing, size: sizes[zone] ?? 0 }))
    .sort((a, b) => b.size - a.size || b.missing - a.missing)
    .map(({ missing }) => missing);
}

/**
 * By eliminating one state after the other, without a subtraction (Grassmann, Taksar and Heyman 1985): what is as rare as
 * losing a stripe would drown in rounding otherwise.
 */
function meanTimeToEnd({ rates }: Chain): number {
  const left = rates.map((row) => [...row]);
  // Time spent, for each unit of time in a state, there and in the states eliminated since.
  const spent = left.map(() => 1);
  const end = left.length - 1;
  const rate = (from: number, to: number): number => left[from]?.[to] ?? 0;
  for (let gone = end - 1; gone > 0; gone--) {
    const others = [...Array(gone).keys(), end];
    const leaving = sum(others.map((to) => rate(gone, to)));
    for (const from of Array(gone).keys()) {
      const share = rate(from, gone) / leaving;
      if (share === 0) continue;
      spent[from] = (spent[from] ?? 0) + share * (spent[gone] ?? 0);
      const row = left[from] ?? [];
      for (const to of others) if (to !== from) row[to] = (row[to] ?? 0) + share * rate(gone, to);
    }
  }
  return (spent[0] ?? 0) / rate(0, end);
}

/** By uniformisation of a short step (Jensen 1953) that is then doubled: sums of products of what is never negative. */
function probabilityOfEnd({ rates }: Chain, years: number): number {
  const fastest = Math.max(...rates.map(sum));
  const doublings = Math.max(0, Math.ceil(Math.log2(fastest * years)));
  const step = years / 2 ** doublings;
  const once = uniformised(rates, fastest);
  let power = identity(rates.length);
  let weight = Math.exp(-fastest * step);
  let transition = scaled(power, weight);
  for (let term = 1; term <= TERMS; term++) {
    power = product(power, once);
    weight *= (fastest * step) / term;
    transition = transition.map((row, i) => row.map((value, j) => value + weight * (power[i]?.[j] ?? 0)));
  }
  for (let doubled = 0; doubled < doublings; doubled++) transition = product(transition, transition);
  return Math.min(1, transition[0]?.at(-1) ?? 0);
}

/** Of a series in (fastest × step)^term / term!, with fastest × step at most 1: what is left out is below 2^-53. */
const TERMS = 20;

type Matrix = readonly (readonly number[])[];

/** Probabilities of one jump, where a state jumps to itself in what is left of the fastest rate. */
function uniformised(rates: Matrix, fastest: number): Matrix {
  return rates.map((row, i) => row.map((rate, j) => (i === j ? fastest - sum(row) : rate) / fastest));
}

function identity(size: number): Matrix {
  return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (__, j) => (i === j ? 1 : 0)));
}

function scaled(matrix: Matrix, factor: number): Matrix {
  return matrix.map((row) => row.map((value) => value * factor));
}

function product(a: Matrix, b: Matrix): Matrix {
  return a.map((row) => {
    const result = new Array<number>(row.length).fill(0);
    for (const [inner, factor] of row.entries()) {
      if (factor === 0) continue;
      for (const [j, value] of (b[inner] ?? []).entries()) result[j] = (result[j] ?? 0) + factor * value;
    }
    return result;
  });
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
