import { randomBytes } from 'node:crypto';
import type { ExtentRef, NewVersion, StripeRecord } from '../../src/catalog/catalog.js';
import {
  parseChunkId,
  parseFileId,
  parsePeerId,
  parseVersionId,
  stripeId,
  type StripeId,
  type UserId,
} from '../../src/chunk/ids.js';

/** A stripe of 4 + 2 chunks, the last of which nobody holds. */
export function sampleStripe(owner: UserId): StripeRecord {
  const chunks = Array.from({ length: 6 }, () => parseChunkId(randomBytes(32)));
  const placement = chunks.map((_, index) => {
    const peer = parsePeerId(randomBytes(32));
    const receipt = { peer, body: Uint8Array.from(randomBytes(100)), signature: Uint8Array.from(randomBytes(64)) };
    return index === 5 ? undefined : index === 4 ? { peer } : { peer, receipt };
  });
  const label = Uint8Array.from(randomBytes(300));
  return { id: stripeId(4, 2, chunks), owner, k: 4, m: 2, bytes: 4000, chunkBytes: 1000, chunks, placement, label };
}

export function sampleExtent(stripe: StripeId, bytes = 1000): ExtentRef {
  return { key: Uint8Array.from(randomBytes(32)), stripe, offset: 7, sealedBytes: bytes + 50, bytes };
}

export function sampleVersion(path: string, extents: readonly ExtentRef[] = []): NewVersion {
  const bytes = extents.reduce((sum, extent) => sum + extent.bytes, 0);
  const file = parseFileId(randomBytes(16));
  const version = parseVersionId(randomBytes(16));
  return { path, manifest: { file, version, bytes, modifiedMs: 1_700_000_000_000, mode: 0o640, extents } };
}
