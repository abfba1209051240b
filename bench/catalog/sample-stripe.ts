import { randomBytes } from 'node:crypto';
import type { StripeRecord } from '../../src/catalog/catalog.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import { parseChunkId, stripeId, type UserId } from '../../src/chunk/ids.js';
import { encodeLabel } from '../../src/chunk/label.js';
import { makeReceipt } from '../../src/chunk/receipt.js';
import { assert } from '../../src/errors.js';
import { MAX_CHUNK_BYTES, MAX_STRIPE_BYTES } from '../../src/limits.js';

const DIRECTORY_BYTES = 400;

/** A stripe that no peer holds, as a put leaves it; its owner has yet to sign the label. */
export interface SampleStripe {
  readonly record: Omit<StripeRecord, 'label'>;
  /** What the owner signs. */
  readonly label: Uint8Array;
}

/** A full one. @param members they hold the chunks: as many as a stripe has, the last of them parity */
export function sampleStripe(owner: UserId, members: readonly Membership[]): SampleStripe {
  const n = members.length;
  const m = Math.max(1, Math.floor(n / 3));
  const k = n - m;
  const chunks = Array.from({ length: n }, () => parseChunkId(randomBytes(32)));
  const chunkBytes = Math.min(MAX_CHUNK_BYTES, Math.floor(MAX_STRIPE_BYTES / k));
  const bytes = k * chunkBytes;
  const directory = { directoryOffset: bytes - DIRECTORY_BYTES, directoryBytes: DIRECTORY_BYTES };
  const shape = { owner, k, m, chunkBytes, chunks };
  const placement = chunks.map((chunk, index) => {
    const by = members[index];
    assert(by !== undefined, 'a member for each chunk');
    const promised = { peer: by.peer, chunk, owner, bytes: chunkBytes, storedMs: Date.now() };
    return { peer: by.peer, receipt: makeReceipt(promised, (body) => by.signAsPeer('receipt', body)) };
  });
  return {
    record: { ...shape, id: stripeId(k, m, chunks), bytes, placement },
    label: encodeLabel({ ...shape, stripeBytes: bytes, ...directory }),
  };
}
