import { randomBytes } from 'node:crypto';
import { idBytes, type PeerId, SHORT_ID_BYTES, type StripeId } from '../../chunk/ids.js';
import { toHex } from '../../bytes.js';
import { StorageError } from '../../errors.js';
import type { AddVersion, Extent } from '../../gen/shoal/v1/format.js';
import { MAX_COMMIT_VERSIONS } from '../../limits.js';
import type { StripePage } from '../catalog.js';
import {
  type ExtentMove,
  LIVE_STRIPE_PAGE,
  type LiveExtent,
  type LiveStripe,
  type LiveVersion,
} from '../compaction.js';
import type { CommitQueue, Turn } from './commit-queue.js';
import { emptyVersionsOf, liveExtentsOf, liveStripesOf } from './live-extents.js';
import { keptIn } from './keepers.js';
import { encodeExtent, isExtent } from './manifest.js';
import type { ManifestReader } from './manifest-reader.js';
import type { ChangeOperation } from './operation.js';
import { newVersionId } from './restore-plan.js';
import { MOVED_ID, type Tree } from './tree.js';
import type { View } from './view.js';
import { readVersion, type ViewVersion } from './view-node.js';

const NO_KEY = new Uint8Array(32);

/** Stripes that something was in, and those that it is in now. */
interface Moved {
  readonly left: Set<StripeId>;
  readonly entered: Set<StripeId>;
}

export interface ExtentMovesOptions {
  /** This one. */
  readonly peer: PeerId;
  /** Unix time. */
  readonly now: () => number;
  readonly queue: CommitQueue;
  readonly manifests: ManifestReader;
  /** @throws StorageError LOCKED, UNSUPPORTED over what a newer version wrote */
  readonly demandWritable: () => void;
}

/**
 * What is stored anew in other stripes, so that stripes of which little is needed can be given back. A version keeps its id, its
 * times and its place: only where its bytes lie changes. The commit of a move also makes keepers, nodes in the folder of what was
 * moved, each with a version of no bytes that refers to one of the stripes of before and of now. docs/decisions/0022
 */
export class ExtentMoves {
  readonly #options: ExtentMovesOptions;

  constructor(options: ExtentMovesOptions) {
    this.#options = options;
  }

  /** Ascending, behind `after`. @throws StorageError UNAVAILABLE while a part of the catalog is missing */
  async liveStripes({ after, limit }: StripePage): Promise<readonly LiveStripe[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > LIVE_STRIPE_PAGE) {
      throw new StorageError(
        'INVALID_ARGUMENT',
        `A page of live stripes has 1 to ${String(LIVE_STRIPE_PAGE)} of them.`,
      );
    }
    const live = await this.#look(liveStripesOf);
    const behind = after === undefined ? live : live.filter(({ stripe }) => stripe > after);
    return behind.slice(0, limit);
  }

  /** @throws StorageError as liveStripes */
  liveExtents(stripes: readonly StripeId[]): Promise<readonly LiveExtent[]> {
    return this.#look((view) => liveExtentsOf(view, new Set(stripes)));
  }

  /** @throws StorageError as liveStripes */
  emptyVersions(): Promise<readonly LiveVersion[]> {
    return this.#look(emptyVersionsOf);
  }

  /**
   * Passes over what is not there any more, or lies elsewhere by now.
   *
   * @param moves to stripes that the catalog knows
   * @returns how many versions were moved
   * @throws StorageError INVALID_ARGUMENT for an extent of another length, LIMIT_EXCEEDED, and as liveStripes
   */
  move(moves: readonly ExtentMove[]): Promise<number> {
    const { demandWritable, queue } = this.#options;
    demandWritable();
    if (moves.length > MAX_COMMIT_VERSIONS) {
      throw new StorageError('LIMIT_EXCEEDED', `One commit moves at most ${String(MAX_COMMIT_VERSIONS)} extents.`);
    }
    return queue.run((turn) => this.#move(turn, moves), { alone: true });
  }

  #move({ view, batch }: Turn, moves: readonly ExtentMove[]): number {
    demandWhole(view);
    const stripes: Moved = { left: new Set(), entered: new Set() };
    const operations: ChangeOperation[] = [];
    for (const [version, of] of byVersion(view, moves)) {
      const moved = movedExtents(readVersion(version), of, stripes);
      if (moved === undefined) continue;
      const value = { version: moved, counter: view.counter + 1, peer: idBytes(this.#options.peer) };
      operations.push({ $case: 'moveVersion', value });
    }
    if (operations.length === 0) return 0;
    batch.add({ operations: [...this.#keep(stripes, view.tree), ...operations], extents: [], nodes: new Map() });
    return operations.length;
  }

  /**
   * A node for each stripe that something leaves, whatever others keep it: so the stripe stays until every home knows of this
   * very move. And one for those where the versions lie now that have none, for another move may win.
   */
  *#keep({ left, entered }: Moved, tree: Tree): Generator<ChangeOperation> {
    const kept = keptIn(tree);
    const changedMs = this.#options.now();
    for (const stripe of new Set([...left, ...[...entered].filter((one) => !kept.has(one))])) {
      const id = randomBytes(SHORT_ID_BYTES);
      const place = { parent: idBytes(MOVED_ID), name: toHex(id), folder: false, trashedFrom: '', seen: [] };
      yield { $case: 'setEntry', value: { node: id, ...place, changedMs } };
      const says = { bytes: 0, modifiedMs: changedMs, createdMs: changedMs, mode: 0, extentDocuments: [] };
      const extents = [encodeExtent({ key: NO_KEY, stripe, offset: 0, sealedBytes: 0, bytes: 0 })];
      yield { $case: 'addVersion', value: { file: id, version: idBytes(newVersionId()), ...says, extents } };
    }
  }

  #look<T>(look: (view: View) => Promise<T>): Promise<T> {
    const { demandWritable, queue, manifests } = this.#options;
    demandWritable();
    return queue.run(
      async ({ view }) => {
        if (await manifests.countLarge(view)) throw incomplete();
        demandWhole(view);
        return look(view);
      },
      { alone: true },
    );
  }
}

/** Those that can be moved: what is to be removed for ever is not, nor is what has very many extents. */
function byVersion({ tree }: View, moves: readonly ExtentMove[]): Map<ViewVersion, ExtentMove[]> {
  const found = new Map<ViewVersion, ExtentMove[]>();
  for (const move of moves) {
    const node = tree.node(move.file);
    if (node === undefined || tree.isDoomed(node)) continue;
    const version = node.versions.find(({ id }) => id === move.version);
    if (version === undefined) continue;
    const others = found.get(version);
    if (others === undefined) found.set(version, [move]);
    else others.push(move);
  }
  return found;
}

/**
 * @param stripes takes those that something of it leaves, and enters
 * @returns undefined where nothing of it lies where the moves have it
 */
function movedExtents(version: AddVersion, moves: readonly ExtentMove[], stripes: Moved): AddVersion | undefined {
  if (version.extentDocuments.length > 0) return undefined;
  const targets = new Map(moves.map((move) => [placeKey(move.from), move]));
  const extents = version.extents.map((extent): Extent => {
    const stripe = toHex(extent.stripe) as StripeId;
    const move = targets.get(placeKey({ stripe, offset: extent.offset }));
    if (move === undefined) return extent;
    if (move.to.bytes !== extent.bytes || !isExtent(move.to)) {
      throw new StorageError(
        'INVALID_ARGUMENT',
        'An extent that is moved keeps its length, and has a key and a place.',
      );
    }
    stripes.left.add(stripe);
    stripes.entered.add(move.to.stripe);
    return encodeExtent(move.to);
  });
  return extents.some((extent, at) => extent !== version.extents[at]) ? { ...version, extents } : undefined;
}

function placeKey({ stripe, offset }: ExtentMove['from']): string {
  return `${stripe} ${String(offset)}`;
}

function demandWhole(view: View): void {
  if (!view.isComplete) throw incomplete();
}

function incomplete(): StorageError {
  return new StorageError(
    'UNAVAILABLE',
    'A part of the catalog is missing, so nothing can be stored anew elsewhere yet. See `shoal status`.',
  );
}
