import type { Session } from '../../catalog/catalog.js';
import type { ExtentMove, LiveExtent, LiveVersion } from '../../catalog/compaction.js';
import type { StripeId } from '../../chunk/ids.js';
import { soloExtentPlainBytes } from '../../chunk/stripe-layout.js';
import { wrapError } from '../../errors.js';
import { schemeOfNow, type Engine } from '../engine.js';
import { heldAmong } from '../garbage/homes.js';
import { LooseStripes } from '../loose-stripes.js';
import { type Packed, Packer, stripeCapacity } from '../pack.js';
import { REFUSALS } from '../put-commit.js';
import {
  byExtent,
  pathToTell,
  readExtents,
  type ReadExtent,
  type Rewriting,
  type Shared,
  storeExtents,
} from './rewrite-extents.js';
import type { SparseStripe } from './sparse-stripes.js';

/** Stripes whose extents are looked up at once, for that looks at all versions of the user; and sealed bytes of these extents. */
const STRIPES_PER_LOOKUP = 1_000;
const BYTES_PER_LOOKUP = 64 * 1024 * 1024;
/** What was put so lately may be removed as soon: nothing is stored anew twice. */
export const COMPACT_SETTLE_MS = 60 * 60 * 1000;

/** What storing anew came to. */
export interface Compacted {
  /** Stripes of which nothing is needed any more. */
  readonly stripes: number;
  /** Versions that lie elsewhere now; more than once those of which several extents were moved apart. */
  readonly versions: number;
  /** Sealed bytes that were stored anew. */
  readonly movedBytes: number;
  /** And, of those stripes, that were not needed. */
  readonly deadBytes: number;
  /** Stripes that stay as they are: in use, or not to be read now. */
  readonly passedOver: number;
}

export interface CompactOptions {
  readonly signal: AbortSignal;
  /** Also stripes that something was stored into just now. */
  readonly young: boolean;
  /** Looks up no further stripes after so many sealed bytes. */
  readonly mostBytes: number;
  readonly onProgress?: ((so: Compacted) => void) | undefined;
}

/**
 * Stores anew what is needed of sparse stripes, so that nothing of these is needed any more. Their places are given back later:
 * see giveUpPlaces. Cut off at any moment it leaves every file readable, and nothing that nobody knows of.
 *
 * @throws StorageError TOO_FEW_PEERS, UNAVAILABLE; what storing says; `signal.reason` on abort
 */
export async function compactStripes(
  engine: Engine,
  session: Session,
  sparse: readonly SparseStripe[],
  options: CompactOptions,
): Promise<Compacted> {
  const { signal } = options;
  const scheme = await schemeOfNow(engine, signal);
  const rewriting = { engine, session, scheme, loose: new LooseStripes(engine, session), signal };
  return new Compaction(rewriting, sparse, options).run();
}

/** What goes into a new stripe, or what only its directory tells of. */
type Item = { readonly shared: Shared } | { readonly mention: LiveVersion };

class Compaction {
  readonly #rewriting: Rewriting;
  readonly #sparse: ReadonlyMap<StripeId, SparseStripe>;
  readonly #options: CompactOptions;
  readonly #packer: Packer<Item>;
  #hasMentioned = false;
  /** Plaintext bytes that one stripe of today has room for, as one extent. */
  readonly #mostBytes: (path: string) => number;
  /** Of stripes, the extents that are not moved yet. */
  readonly #left = new Map<StripeId, number>();
  #done: Compacted = { stripes: 0, versions: 0, movedBytes: 0, deadBytes: 0, passedOver: 0 };

  constructor(rewriting: Rewriting, sparse: readonly SparseStripe[], options: CompactOptions) {
    this.#rewriting = rewriting;
    this.#sparse = new Map(sparse.map((one) => [one.stripe, one]));
    this.#options = options;
    const capacity = stripeCapacity(rewriting.scheme.k);
    this.#packer = new Packer(capacity);
    this.#mostBytes = (path) => soloExtentPlainBytes(capacity, path);
  }

  async run(): Promise<Compacted> {
    try {
      for (const stripes of lookups(this.#sparse.values())) {
        if (this.#done.movedBytes >= this.#options.mostBytes) break;
        for (const shared of await this.#extentsIn(stripes)) await this.#add(shared);
      }
      for (const packed of this.#packer.flush()) await this.#rewrite(packed);
    } finally {
      await this.#rewriting.loose.end();
    }
    return this.#done;
  }

  async #add(shared: Shared): Promise<void> {
    const waiting = { item: { shared }, path: pathToTell(shared), bytes: shared[0].extent.bytes };
    for (const packed of this.#packer.add(waiting)) await this.#rewrite(packed);
    if (this.#hasMentioned) return;
    this.#hasMentioned = true;
    const { engine, session } = this.#rewriting;
    // The directories of the sparse stripes may be the only ones that tell of them. As many as there is room for.
    for (const version of await engine.catalog.compaction.emptyVersions(session)) {
      for (const packed of this.#packer.mention({ mention: version }, version.path)) await this.#rewrite(packed);
    }
  }

  async #extentsIn(stripes: readonly StripeId[]): Promise<Shared[]> {
    const { engine, session, signal } = this.#rewriting;
    signal.throwIfAborted();
    const held = heldAmong(engine, stripes);
    const live = groupByStripe(
      await engine.catalog.compaction.liveExtents(session, stripes),
      ({ extent }) => extent.stripe,
    );
    return stripes.flatMap((stripe) => {
      const extents = live.get(stripe) ?? [];
      const shared = byExtent(extents);
      if (held.has(stripe) || !this.#isSettled(extents) || !shared.every((one) => this.#fits(one))) {
        this.#count({ passedOver: 1 });
        return [];
      }
      this.#left.set(stripe, shared.length);
      return shared;
    });
  }

  #isSettled(live: readonly LiveExtent[]): boolean {
    const { nowMs } = this.#rewriting.engine.compaction;
    // One that is put far in the future was put by a clock that was wrong.
    return this.#options.young || live.every(({ createdMs }) => Math.abs(nowMs - createdMs) >= COMPACT_SETTLE_MS);
  }

  /** An extent stays one. */
  #fits(shared: Shared): boolean {
    return shared[0].extent.bytes <= this.#mostBytes(pathToTell(shared));
  }

  async #rewrite(packed: readonly Packed<Item>[]): Promise<void> {
    const extents = packed.flatMap(({ item }) => ('shared' in item ? [item.shared] : []));
    const mentions = packed.flatMap(({ item }) => ('mention' in item ? [item.mention] : []));
    const read: ReadExtent[] = [];
    for (const [stripe, some] of groupByStripe(extents, ([{ extent }]) => extent.stripe)) {
      const found = await readExtents(this.#rewriting, stripe, some);
      if (found === undefined) this.#count({ passedOver: 1 });
      for (const one of found ?? []) read.push(one);
    }
    if (read.length === 0) return;
    const { stripe, places } = await storeExtents(this.#rewriting, { read, mentions });
    const moves = read.flatMap(({ shared }, at) => {
      const to = places[at];
      return to === undefined ? [] : shared.map((live): ExtentMove => ({ ...live, from: live.extent, to }));
    });
    const versions = await this.#commit(stripe, moves);
    this.#count({ versions, movedBytes: places.reduce((sum, { sealedBytes }) => sum + sealedBytes, 0) });
    for (const { shared } of read) this.#tickOff(shared[0].extent.stripe);
    this.#options.onProgress?.(this.#done);
  }

  /** @returns how many versions lie there now */
  async #commit(stripe: StripeId, moves: readonly ExtentMove[]): Promise<number> {
    const { engine, session, loose } = this.#rewriting;
    await engine.catalog.putStripes(loose.recordsOf([stripe]));
    try {
      const versions = await engine.catalog.compaction.moveExtents(session, moves);
      // Where all of it was removed meanwhile, nothing refers to the new stripe: it is given back in the end.
      if (versions > 0) await loose.settle([stripe]);
      return versions;
    } catch (error) {
      if (!REFUSALS.has(wrapError(error, 'Moving extents').code)) loose.doubt([stripe]);
      throw error;
    }
  }

  #tickOff(stripe: StripeId): void {
    const left = (this.#left.get(stripe) ?? 1) - 1;
    this.#left.set(stripe, left);
    if (left === 0) this.#count({ stripes: 1, deadBytes: this.#sparse.get(stripe)?.deadBytes ?? 0 });
  }

  #count(more: Partial<Compacted>): void {
    const sum = (field: keyof Compacted): number => this.#done[field] + (more[field] ?? 0);
    this.#done = {
      stripes: sum('stripes'),
      versions: sum('versions'),
      movedBytes: sum('movedBytes'),
      deadBytes: sum('deadBytes'),
      passedOver: sum('passedOver'),
    };
  }
}

function* lookups(sparse: Iterable<SparseStripe>): Generator<StripeId[]> {
  let some: StripeId[] = [];
  let bytes = 0;
  for (const { stripe, liveBytes } of sparse) {
    some.push(stripe);
    bytes += liveBytes;
    if (some.length < STRIPES_PER_LOOKUP && bytes < BYTES_PER_LOOKUP) continue;
    yield some;
    some = [];
    bytes = 0;
  }
  if (some.length > 0) yield some;
}

function groupByStripe<T>(items: readonly T[], stripeOf: (item: T) => StripeId): Map<StripeId, T[]> {
  const groups = new Map<StripeId, T[]>();
  for (const item of items) {
    const stripe = stripeOf(item);
    const others = groups.get(stripe);
    if (others === undefined) groups.set(stripe, [item]);
    else others.push(item);
  }
  return groups;
}
