import { type Assumptions, checkAssumptions } from './assumptions.js';
import { exponential, seededRandom } from './random.js';

/** Peers and stripes of a whole network. */
export interface World extends Assumptions {
  readonly peers: number;
  readonly stripes: number;
}

export interface Trials {
  readonly trials: number;
  readonly years: number;
  readonly seed: number;
  readonly signal?: AbortSignal;
}

export interface Outcome {
  readonly trials: number;
  /** In which at least one stripe was lost. */
  readonly lost: number;
  /** Share of stripes lost, over all trials. */
  readonly stripesLost: number;
  /** Peers lost, over all trials. */
  readonly peersLost: number;
}

/** Stripes on peers: which stripes a peer has a chunk of. */
interface Layout {
  readonly stripesOf: readonly Int32Array[];
  /** Peers of each zone. */
  readonly peersIn: readonly (readonly number[])[];
}

/** Plays what may happen to a network, many times, event by event (Gillespie 1977). Same seed, same outcome. */
export function playOut(world: World, { trials, years, seed, signal }: Trials): Outcome {
  checkAssumptions(world);
  const random = seededRandom(seed);
  let lost = 0;
  let stripesLost = 0;
  let peersLost = 0;
  for (let trial = 0; trial < trials; trial++) {
    signal?.throwIfAborted();
    const history = new History(world, layOut(world, random), random);
    history.play(years);
    if (history.stripesLost > 0) lost++;
    stripesLost += history.stripesLost;
    peersLost += history.peersLost;
  }
  return { trials, lost, stripesLost: stripesLost / (trials * world.stripes), peersLost };
}

/** Chunks of a stripe on peers at random, over the zones as evenly as can be: what placement by rendezvous hashing comes to. */
function layOut({ scheme, zones, peers, stripes }: World, random: () => number): Layout {
  const n = scheme.k + scheme.m;
  const peersIn = Array.from({ length: Math.min(zones, peers) }, (_, zone) =>
    [...Array(peers).keys()].filter((peer) => peer % Math.min(zones, peers) === zone),
  );
  const stripesOf: number[][] = Array.from({ length: peers }, () => []);
  for (let stripe = 0; stripe < stripes; stripe++) {
    for (const peer of spread(peersIn, random).slice(0, n)) stripesOf[peer]?.push(stripe);
  }
  return { stripesOf: stripesOf.map((list) => Int32Array.from(list)), peersIn };
}

/** All peers, so that the first ones of any number are over the zones as evenly as can be. */
function spread(peersIn: readonly (readonly number[])[], random: () => number): number[] {
  const zones = shuffle([...peersIn], random).map((members) => shuffle([...members], random));
  const rounds = Math.max(...zones.map((members) => members.length));
  return [...Array(rounds).keys()].flatMap((round) => zones.flatMap((members) => members[round] ?? []));
}

/** Fisher and Yates. */
function shuffle<T>(items: T[], random: () => number): T[] {
  for (let last = items.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [items[last], items[other]] = [items[other] as T, items[last] as T];
  }
  return items;
}

/** One network from its first day. */
class History {
  readonly #world: World;
  readonly #layout: Layout;
  readonly #random: () => number;
  readonly #missing: Uint8Array;
  readonly #isDown: boolean[];
  #down = 0;
  /** That cannot be rebuilt any more. */
  readonly #dead: Uint8Array;
  stripesLost = 0;
  peersLost = 0;

  constructor(world: World, layout: Layout, random: () => number) {
    this.#world = world;
    this.#layout = layout;
    this.#random = random;
    this.#missing = new Uint8Array(world.stripes);
    this.#dead = new Uint8Array(world.stripes);
    this.#isDown = Array.from({ length: world.peers }, () => false);
  }

  play(years: number): void {
    const { peers, peerLossRate, zoneLossRate, repairTime } = this.#world;
    let now = 0;
    for (;;) {
      const losing = (peers - this.#down) * peerLossRate;
      const burning = this.#layout.peersIn.length * zoneLossRate;
      const mending = this.#down / repairTime;
      now += exponential(losing + burning + mending, this.#random);
      if (now > years) return;
      const what = this.#random() * (losing + burning + mending);
      if (what < losing) this.#lose(this.#pick(false));
      else if (what < losing + burning) this.#burn();
      else this.#mend(this.#pick(true));
    }
  }

  #pick(isDown: boolean): number {
    const candidates = isDown ? this.#down : this.#world.peers - this.#down;
    let skip = Math.floor(this.#random() * candidates);
    return this.#isDown.findIndex((down) => down === isDown && skip-- === 0);
  }

  #burn(): void {
    const zone = this.#layout.peersIn[Math.floor(this.#random() * this.#layout.peersIn.length)] ?? [];
    for (const peer of zone) if (this.#isDown[peer] === false) this.#lose(peer);
  }

  #lose(peer: number): void {
    this.#isDown[peer] = true;
    this.#down++;
    this.peersLost++;
    for (const stripe of this.#layout.stripesOf[peer] ?? []) {
      const missing = (this.#missing[stripe] ?? 0) + 1;
      this.#missing[stripe] = missing;
      if (missing > this.#world.scheme.m && this.#dead[stripe] === 0) {
        this.#dead[stripe] = 1;
        this.stripesLost++;
      }
    }
  }

  #mend(peer: number): void {
    this.#isDown[peer] = false;
    this.#down--;
    for (const stripe of this.#layout.stripesOf[peer] ?? []) {
      this.#missing[stripe] = (this.#missing[stripe] ?? 1) - 1;
    }
  }
}
