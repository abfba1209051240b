import { createHash } from 'node:crypto';
import type { StripeRecord } from '../../catalog/catalog.js';
import type { ChunkSummary } from '../../chunk/chunk-store.js';
import type { PeerId, StripeId, UserId } from '../../chunk/ids.js';
import { openLabel, type ReadLabel } from '../../chunk/label.js';
import type { SignedBy } from '../../chunk/signed.js';
import { StorageError } from '../../errors.js';

/** A stripe whose label the owner signed, and who says to hold which of its chunks. */
export interface ClaimedStripe {
  readonly label: ReadLabel & SignedBy;
  /** The label as it was signed. */
  readonly signed: Uint8Array;
  /** One list for each chunk, in the order of the label. Peers may lie. */
  readonly holders: readonly PeerId[][];
}

/** What all peers' inventories come to: the stripes of one owner. */
export class StripeClaims {
  readonly #owner: UserId;
  readonly #stripes = new Map<StripeId, ClaimedStripe>();
  /** By the hash of a signed label: all chunks of a stripe carry the same, and a signature is verified once. */
  readonly #labels = new Map<string, ClaimedStripe>();

  constructor(owner: UserId) {
    this.#owner = owner;
  }

  get size(): number {
    return this.#stripes.size;
  }

  stripes(): Iterable<ClaimedStripe> {
    return this.#stripes.values();
  }

  get(id: StripeId): ClaimedStripe | undefined {
    return this.#stripes.get(id);
  }

  /** @returns false when the label does not hold: not signed by the owner, or not the label of this chunk */
  add(peer: PeerId, { id, bytes, label: signed }: ChunkSummary): boolean {
    const stripe = this.#stripeOf(signed);
    const index = stripe?.label.chunks.indexOf(id) ?? -1;
    const holders = stripe?.holders[index];
    if (stripe === undefined || holders === undefined || stripe.label.chunkBytes !== bytes) return false;
    if (!holders.includes(peer)) holders.push(peer);
    return true;
  }

  #stripeOf(signed: Uint8Array): ClaimedStripe | undefined {
    const hash = createHash('sha256').update(signed).digest('base64');
    const known = this.#labels.get(hash);
    if (known !== undefined) return known;
    const label = readLabel(signed);
    if (label?.owner !== this.#owner) return undefined;
    const stripe = this.#stripes.get(label.stripe) ?? { label, signed, holders: label.chunks.map(() => []) };
    this.#stripes.set(label.stripe, stripe);
    this.#labels.set(hash, stripe);
    return stripe;
  }
}

function readLabel(signed: Uint8Array): (ReadLabel & SignedBy) | undefined {
  try {
    return openLabel(signed);
  } catch (error) {
    if (StorageError.is(error, 'CORRUPT', 'LIMIT_EXCEEDED', 'PERMISSION_DENIED', 'UNSUPPORTED')) return undefined;
    throw error;
  }
}

/** Chunks that at least one peer says to hold. */
export function claimedChunks({ holders }: ClaimedStripe): number {
  return holders.filter((peers) => peers.length > 0).length;
}

/**
 * Decides whom to believe. Placement gives a peer one chunk of a stripe, so of several that claim a chunk the one with the
 * fewest claims to this stripe is the most credible, and a peer that claims them all is believed last.
 *
 * @param distrusted claims that turned out wrong, as `claimOf` writes them
 */
export function recordOf(stripe: ClaimedStripe, distrusted: ReadonlySet<string> = new Set()): StripeRecord {
  const { label, signed, holders } = stripe;
  const claims = new Map<PeerId, number>();
  for (const peer of holders.flat()) claims.set(peer, (claims.get(peer) ?? 0) + 1);
  const placement = holders.map((peers, index) => {
    const [best] = peers
      .filter((peer) => !distrusted.has(claimOf(peer, index)))
      .sort((a, b) => (claims.get(a) ?? 0) - (claims.get(b) ?? 0) || (a < b ? -1 : 1));
    return best === undefined ? undefined : { peer: best };
  });
  const { k, m, chunkBytes, chunks, owner, stripe: id, stripeBytes: bytes } = label;
  return { id, owner, k, m, bytes, chunkBytes, chunks, placement, label: signed };
}

/** Names a peer's claim to the chunk of this index. */
export function claimOf(peer: PeerId, index: number): string {
  return `${peer} ${String(index)}`;
}
