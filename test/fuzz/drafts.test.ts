/** Whoever can write to the disk puts what he likes into the journal of drafts: it is read as it was written, or refused. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { toHex } from '../../src/bytes.js';
import type { StripeRecord } from '../../src/catalog/catalog.js';
import {
  parseChunkId,
  parseFileId,
  parsePeerId,
  parseStripeId,
  parseUserId,
  parseVersionId,
} from '../../src/chunk/ids.js';
import { sealedBytes } from '../../src/crypto/seal.js';
import { StorageError } from '../../src/errors.js';
import { draftIdOf, type DraftHead } from '../../src/file/draft/draft.js';
import { decodeHead, decodePart, DraftSeal, placeOf, type DraftPart } from '../../src/file/draft/draft-format.js';
import { MAX_DRAFT_PART_BYTES, MAX_LABEL_BYTES, MAX_STRIPE_CHUNKS } from '../../src/limits.js';

const RUNS = { numRuns: 300 };
const id = draftIdOf(randomBytes(16));
const key = randomBytes(32);
const seal = new DraftSeal(id, key);

function headWith(path: string, local: string): DraftHead {
  return {
    path,
    bytes: 2 ** 40 + 1,
    modifiedMs: 1_700_000_000_000,
    mode: 0o4755,
    file: parseFileId(randomBytes(16)),
    version: parseVersionId(randomBytes(16)),
    createdMs: 1_700_000_000_001,
    origin: { kind: 'local', local, inode: '18446744073709551615', modifiedMs: -12.5 },
  };
}

function partOf(chunkCount: number, labelBytes = 300): DraftPart {
  const chunks = Array.from({ length: chunkCount }, () => parseChunkId(randomBytes(32)));
  const stripe: StripeRecord = {
    id: parseStripeId(randomBytes(32)),
    owner: parseUserId(randomBytes(32)),
    k: chunkCount - 1,
    m: 1,
    bytes: 9_000_000,
    chunkBytes: 4_500_000,
    chunks,
    placement: chunks.map((_, index) => {
      const peer = parsePeerId(randomBytes(32));
      const receipt = { peer, body: randomBytes(160), signature: randomBytes(72) };
      return index === 1 ? undefined : { peer, receipt };
    }),
    label: randomBytes(labelBytes),
  };
  const bytes = 1_000_000;
  const extent = { key: randomBytes(32), stripe: stripe.id, offset: 17, sealedBytes: sealedBytes(bytes), bytes };
  return { fileOffset: 2 ** 33, extent, stripe };
}

/** Gives something or throws a StorageError. */
function survives(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    assert.ok(StorageError.is(error), String(error));
  }
}

function plain(bytes: Uint8Array): Uint8Array {
  return Uint8Array.from(Buffer.from(bytes));
}

describe('the journal of drafts', () => {
  it('opens to what was sealed, names of every kind among it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 40 }), (name) => {
        const head = headWith(
          `/a/${name.replaceAll(/[\p{Cc}\p{Cs}/]/gu, '') || 'b'}b`,
          `/home/${name.replaceAll(/\p{Cs}/gu, '')}`,
        );
        assert.deepEqual(seal.openHead(seal.sealHead(head)), head);
      }),
      RUNS,
    );
    const remote: DraftHead = {
      ...headWith('/x', ''),
      origin: { kind: 'remote', source: 'a phone', overwrite: false },
    };
    assert.deepEqual(seal.openHead(seal.sealHead(remote)), remote);
    const part = partOf(6);
    const opened = seal.openPart(placeOf(part), seal.sealPart(part));
    assert.deepEqual(
      { ...opened, extent: { ...opened.extent, key: plain(opened.extent.key) } },
      { ...part, extent: { ...part.extent, key: plain(part.extent.key) }, stripe: opened.stripe },
    );
    assert.deepEqual(toHex(opened.stripe.label), toHex(part.stripe.label));
    assert.equal(opened.stripe.placement[1], undefined);
    assert.equal(opened.stripe.placement[0]?.receipt?.body.length, 160);
  });

  it('has room for the largest part', () => {
    const part = partOf(MAX_STRIPE_CHUNKS, MAX_LABEL_BYTES);
    const sealed = seal.sealPart(part);
    assert.ok(sealed.length <= MAX_DRAFT_PART_BYTES);
    seal.openPart(placeOf(part), sealed);
  });

  it('does not open when a byte of it, its place, its draft or its key is another', () => {
    const part = partOf(6);
    const sealed = seal.sealPart(part);
    const place = placeOf(part);
    const corrupt = { code: 'CORRUPT' };
    for (const other of [
      { ...place, fileOffset: place.fileOffset + 1 },
      { ...place, bytes: place.bytes - 1 },
      { ...place, stripe: parseStripeId(randomBytes(32)) },
    ]) {
      assert.throws(() => seal.openPart(other, sealed), corrupt);
    }
    assert.throws(() => new DraftSeal(draftIdOf(randomBytes(16)), key).openPart(place, sealed), corrupt);
    assert.throws(() => new DraftSeal(id, randomBytes(32)).openPart(place, sealed), corrupt);
    assert.throws(() => seal.openHead(sealed), corrupt);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const altered = Uint8Array.from(sealed);
        altered[at] = (altered[at] ?? 0) ^ flip;
        assert.throws(() => seal.openPart(place, altered), corrupt);
      }),
      RUNS,
    );
  });

  it('is refused in words, whatever its plaintext is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (noise) => {
        survives(() => decodeHead(noise));
        survives(() => decodePart(noise));
      }),
      RUNS,
    );
    assert.throws(() => decodeHead(Uint8Array.of(8, 2)), { code: 'UNSUPPORTED' });
    assert.throws(() => decodePart(Uint8Array.of(8, 1)), { code: 'CORRUPT' });
    assert.throws(() => decodePart(new Uint8Array(MAX_DRAFT_PART_BYTES + 1)), { code: 'LIMIT_EXCEEDED' });
  });
});
