import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { sampleExtent, sampleStripe, sampleVersion } from '../../../test/contract/catalog-samples.js';
import { HomesApart, settled } from '../../../test/contract/homes-apart.js';
import { SeededNumbers } from '../../../test/e2e/programs/seeded.js';
import type { StripeId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { LIVE_STRIPE_PAGE } from '../compaction.js';
import type { UserCatalog } from './user-catalog.js';

const user = sampleUser();
const PATHS = ['/a', '/b'] as const;
const HOMES = 4;
const STEPS = 45;
const RUNS = 20;

/** Homes that do whatever numbers choose, hear of each other in parts, and give stripes back. */
class Scene {
  readonly #numbers: SeededNumbers;
  readonly #homes: HomesApart;
  /** Whose chunks are deleted. */
  readonly #freed = new Set<StripeId>();
  readonly log: string[] = [];

  constructor(numbers: SeededNumbers, homes: HomesApart) {
    this.#numbers = numbers;
    this.#homes = homes;
  }

  async step(): Promise<void> {
    const n = this.#below(HOMES);
    const catalog = this.#homes.at(n);
    const path = PATHS[this.#below(PATHS.length)] ?? '/a';
    const rare: [string, () => Promise<unknown>][] = [
      ['put', () => catalog.commit([sampleVersion(path, [sampleExtent(this.#stripe())])])],
      ['beside', () => this.putBeside(catalog)],
      ['replace', () => catalog.move(path, PATHS[this.#below(PATHS.length)] ?? '/b', { replace: true })],
      ['remove', () => catalog.remove(path, { recursive: true, forever: true })],
      ['restart', () => this.#homes.restart(n)],
    ];
    const acts: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['chmod', () => catalog.setAttributes(path, { mode: this.#below(0o777) })],
      ['chmod', () => catalog.setAttributes(path, { mode: this.#below(0o777) })],
      ['chmod', () => catalog.setAttributes(path, { mode: this.#below(0o777) })],
      ['restore', () => this.#restore(catalog, path)],
      ['compact', () => this.#move(catalog)],
      ['compact', () => this.#move(catalog)],
      ['compact', () => this.#move(catalog)],
      ['give up', () => catalog.giveUpMoved(this.#homes.nowMs)],
      ['give up', () => catalog.giveUpMoved(this.#homes.nowMs)],
      ['carry out', () => this.carryOut(n)],
      ['carry out', () => this.carryOut(n)],
      ['carry out', () => this.carryOut(n)],
      ...(this.#below(4) === 0 ? rare : []),
      ['tell', () => this.#homes.tell(n, this.#below(HOMES))],
      ['tell', () => this.#homes.tell(n, this.#below(HOMES))],
      ['tell some', () => this.#tellSome(n, this.#below(HOMES))],
      ['tell some', () => this.#tellSome(n, this.#below(HOMES))],
      ['sum', () => this.#tellSum(n, this.#below(HOMES))],
    ];
    const [name, act] = acts[this.#below(acts.length)] ?? ['none', async () => undefined];
    this.log.push(`${name} at ${String(n)} ${path}`);
    try {
      await act();
    } catch (error) {
      if (!StorageError.is(error)) throw error;
    }
  }

  async carryOut(n: number): Promise<void> {
    const catalog = this.#homes.at(n);
    const { due } = await catalog.dueRemovals();
    const freed = await catalog.carryOutRemovals(due.map(({ node }) => node));
    for (const stripe of freed) this.#freed.add(stripe);
    if (freed.length > 0) await this.demandReadable();
  }

  /** Nothing that any home has, and so could copy, lies in what was given back. */
  async demandReadable(): Promise<void> {
    for (let n = 0; n < HOMES; n++) {
      const catalog = this.#homes.at(n);
      for (const { path } of catalog.list('/', true)) {
        for (const { version } of catalog.versions(path)) {
          for (const { stripe } of (await catalog.manifest(path, version)).extents) {
            assert.equal(this.#freed.has(stripe), false, `${path} at ${String(n)}\n${this.log.join('\n')}`);
          }
        }
      }
    }
  }

  /** When everybody has heard of everything. @returns how many stripes were given back */
  async check(): Promise<number> {
    for (let round = 0; round < 3; round++) {
      await this.#homes.meet();
      for (let n = 0; n < HOMES; n++) await this.#homes.at(n).giveUpMoved(this.#homes.nowMs);
      await this.#homes.meet();
      for (let n = 0; n < HOMES; n++) await this.carryOut(n);
    }
    await this.demandReadable();
    return this.#freed.size;
  }

  #below(limit: number): number {
    return this.#numbers.below(limit);
  }

  #stripe(): StripeId {
    return sampleStripe(user.id).id;
  }

  /** Two files share a stripe. */
  putBeside(catalog: UserCatalog): Promise<void> {
    const stripe = this.#stripe();
    const extents = [sampleExtent(stripe), { ...sampleExtent(stripe), offset: 5000 }];
    return catalog.commit(extents.map((extent, at) => sampleVersion(PATHS[at] ?? '/c', [extent])));
  }

  async #restore(catalog: UserCatalog, path: string): Promise<void> {
    await catalog.restore(path, catalog.versions(path).at(-1)?.version);
  }

  /** Of some stripes. */
  async #move(catalog: UserCatalog): Promise<void> {
    const live = await catalog.moves.liveStripes({ limit: LIVE_STRIPE_PAGE });
    const some = live.filter(() => this.#below(2) === 0).map(({ stripe }) => stripe);
    const target = this.#stripe();
    const places = new Map<string, number>();
    const moves = (await catalog.moves.liveExtents(some)).map((one) => {
      const key = `${one.extent.stripe} ${String(one.extent.offset)}`;
      const offset = places.get(key) ?? places.size * 5000;
      places.set(key, offset);
      return { ...one, from: one.extent, to: { ...sampleExtent(target, one.extent.bytes), offset } };
    });
    await catalog.moves.move(moves);
  }

  /** Of one peer's changes those up to some one. */
  async #tellSome(from: number, to: number): Promise<void> {
    const author = samplePeer(1 + this.#below(HOMES));
    const documents = [...this.#homes.database(from).documents.values()];
    const of = documents.filter((one) => one['peer'] === author);
    of.sort((a, b) => Number(a['counter']) - Number(b['counter']));
    await this.#homes.database(to).put(of.slice(0, this.#below(of.length + 1)));
    await settled();
  }

  /** Some parts of what one home knows, summed up. */
  async #tellSum(from: number, to: number): Promise<void> {
    const parts = await this.#homes.sumOf(from);
    await this.#homes.database(to).put(parts.filter(() => this.#below(3) > 0));
    await settled();
  }
}

test('whatever homes do apart, nothing that somebody can read is given back', async () => {
  let freed = 0;
  await fc.assert(
    fc.asyncProperty(fc.integer(), async (seed) => {
      const homes = await HomesApart.open(user, HOMES);
      const scene = new Scene(new SeededNumbers(String(seed)), homes);
      await scene.putBeside(homes.at(0));
      await homes.meet();
      for (let step = 0; step < STEPS; step++) await scene.step();
      freed += await scene.check();
      for (let n = 0; n < HOMES; n++) await homes.at(n).close();
    }),
    { numRuns: RUNS },
  );
  assert.ok(freed > 0);
});
