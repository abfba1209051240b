import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { beforeEach, describe, it } from 'node:test';
import type { ChunkSummary } from '../../chunk/chunk-store.js';
import { parseChunkId, parsePeerId, parseUserId, type ChunkId, type PeerId, type UserId } from '../../chunk/ids.js';
import { encodeLabel } from '../../chunk/label.js';
import { sealSigned } from '../../chunk/signed.js';
import { deriveUserKeys, newRootKey, userId, type UserKeys } from '../../crypto/root-key.js';
import { claimedChunks, claimOf, recordOf, StripeClaims, type ClaimedStripe } from './stripe-claims.js';

const [K, M, CHUNK_BYTES] = [3, 1, 400];

interface Signed {
  readonly label: Uint8Array;
  readonly chunks: readonly ChunkId[];
}

function sign(keys: UserKeys, owner: UserId): Signed {
  const chunks = Array.from({ length: K + M }, () => parseChunkId(randomBytes(32)));
  const stripeBytes = K * CHUNK_BYTES;
  const sizes = { stripeBytes, chunkBytes: CHUNK_BYTES, directoryOffset: stripeBytes - 200, directoryBytes: 200 };
  const label = encodeLabel({ owner, k: K, m: M, chunks, ...sizes });
  return { label: sealSigned('label', label, keys.signing), chunks };
}

describe('claims to stripes', () => {
  const keys = deriveUserKeys(newRootKey());
  const owner = parseUserId(userId(keys.signing.publicKey));
  const peers = Array.from({ length: 5 }, () => parsePeerId(randomBytes(32))).toSorted();
  let claims: StripeClaims;
  let stripe: Signed;

  beforeEach(() => {
    claims = new StripeClaims(owner);
    stripe = sign(keys, owner);
  });

  function peer(n: number): PeerId {
    return peers[n] ?? assert.fail();
  }

  function summary(index: number, change: Partial<ChunkSummary> = {}): ChunkSummary {
    const id = stripe.chunks[index] ?? assert.fail();
    return { id, bytes: CHUNK_BYTES, owner, label: stripe.label, ...change };
  }

  function only(): ClaimedStripe {
    const [first, ...others] = claims.stripes();
    assert.deepEqual(others, []);
    return first ?? assert.fail();
  }

  it('are counted by stripe, each once', () => {
    for (const index of [0, 2, 2]) assert.ok(claims.add(peer(index), summary(index)));
    assert.equal(claimedChunks(only()), 2);
    assert.deepEqual(only().holders, [[peer(0)], [], [peer(2)], []]);
  });

  it('are refused with a label of somebody else, of another chunk, of another length, or with garbage', () => {
    const stranger = deriveUserKeys(newRootKey());
    const strangers = sign(stranger, parseUserId(userId(stranger.signing.publicKey)));
    const forged = sign(stranger, owner);
    const wrong: ChunkSummary[] = [
      summary(0, { label: strangers.label, id: strangers.chunks[0] ?? assert.fail() }),
      summary(0, { label: forged.label, id: forged.chunks[0] ?? assert.fail() }),
      summary(0, { id: parseChunkId(randomBytes(32)) }),
      summary(0, { bytes: CHUNK_BYTES - 1 }),
      summary(0, { label: Uint8Array.from(randomBytes(300)) }),
      summary(0, { label: new Uint8Array(0) }),
    ];
    for (const one of wrong) assert.ok(!claims.add(peer(0), one));
    for (const { holders } of claims.stripes()) assert.deepEqual(holders, [[], [], [], []]);
  });

  it('of a peer that claims everything are believed last', () => {
    const liar = peer(0);
    for (let index = 0; index < K + M; index++) claims.add(liar, summary(index));
    for (let index = 1; index < K + M; index++) claims.add(peer(index + 1), summary(index));
    const record = recordOf(only());
    assert.deepEqual(
      record.placement.map((place) => place?.peer),
      [liar, peer(2), peer(3), peer(4)],
    );
    assert.deepEqual(record.chunks, stripe.chunks);
    assert.deepEqual(Buffer.from(record.label), Buffer.from(stripe.label));
  });

  it('that turned out false are passed over', () => {
    claims.add(peer(1), summary(0));
    claims.add(peer(2), summary(0));
    claims.add(peer(3), summary(1));
    const places = (...wrong: string[]): (PeerId | undefined)[] =>
      recordOf(only(), new Set(wrong)).placement.map((place) => place?.peer);
    assert.deepEqual(places(), [peer(1), peer(3), undefined, undefined]);
    assert.deepEqual(places(claimOf(peer(1), 0)), [peer(2), peer(3), undefined, undefined]);
    assert.deepEqual(places(claimOf(peer(3), 1)), [peer(1), undefined, undefined, undefined]);
  });
});
