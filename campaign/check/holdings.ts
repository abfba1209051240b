import { join } from 'node:path';
import type { ChunkId, StripeId } from '../../src/chunk/ids.js';
import { parseChunkId } from '../../src/chunk/ids.js';
import { openLabel } from '../../src/chunk/label.js';
import { INDEX_FILE } from '../../src/store/chunk-index.js';
import { openNative } from '../../src/store/sqlite-driver.js';
import type { CampaignNetwork } from '../network/peers.js';

/** What lies on disks, by the disks' own word and the owner's signature: no record and no peer is asked. */
export interface Holdings {
  readonly stripes: ReadonlyMap<StripeId, HeldStripe>;
}

export interface HeldStripe {
  readonly k: number;
  /** Which peers have it, by their numbers. */
  readonly chunks: ReadonlyMap<ChunkId, ReadonlySet<number>>;
}

/** Reads the index of every store. All peers must be down: each has its index for itself alone. */
export async function readHoldings(network: CampaignNetwork): Promise<Holdings> {
  const stripes = new Map<StripeId, { k: number; chunks: Map<ChunkId, Set<number>> }>();
  for (const n of network.numbers) {
    const database = await openNative(join(network.storeOf(n), INDEX_FILE));
    try {
      for (const row of database.prepare('SELECT chunk, label FROM claims').all()) {
        const { chunk, label } = row as { readonly chunk: Uint8Array; readonly label: Uint8Array };
        const { stripe, k } = openLabel(label);
        const held = stripes.get(stripe) ?? { k, chunks: new Map<ChunkId, Set<number>>() };
        stripes.set(stripe, held);
        const id = parseChunkId(chunk);
        held.chunks.set(id, (held.chunks.get(id) ?? new Set<number>()).add(n));
      }
    } finally {
      database.close();
    }
  }
  return { stripes };
}

/** What cannot be rebuilt once the disks of some peers are gone. */
export interface Doom {
  /** Each with what lies at those peers of it. */
  readonly stripes: ReadonlyMap<StripeId, readonly LostChunk[]>;
}

export interface LostChunk {
  readonly id: ChunkId;
  /** The peer that had it. */
  readonly peer: number;
}

/** Stripes of which fewer than k chunks are left elsewhere. */
export function doomOf({ stripes }: Holdings, gone: ReadonlySet<number>): Doom {
  const doomed = new Map<StripeId, readonly LostChunk[]>();
  for (const [stripe, { k, chunks }] of stripes) {
    const left = [...chunks.values()].filter((peers) => [...peers].some((n) => !gone.has(n))).length;
    if (left >= k) continue;
    const lost = [...chunks].flatMap(([id, peers]) =>
      [...peers].filter((n) => gone.has(n)).map((peer) => ({ id, peer })),
    );
    doomed.set(stripe, lost);
  }
  return { stripes: doomed };
}
