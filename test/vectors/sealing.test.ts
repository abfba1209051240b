import assert from 'node:assert/strict';
import { createHash, createPublicKey } from 'node:crypto';
import { describe, test } from 'node:test';
import { toHex } from '../../src/bytes.js';
import { decodeDirectory, sealDirectory, unsealDirectory } from '../../src/chunk/directory.js';
import { openDeleteOrder, openGrant } from '../../src/chunk/grant.js';
import { parseChunkId, parseFileId, parseUserId, parseVersionId, stripeId } from '../../src/chunk/ids.js';
import { decodeLabel, encodeLabel, openLabel } from '../../src/chunk/label.js';
import { verifyReceipt } from '../../src/chunk/receipt.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { sealSigned } from '../../src/chunk/signed.js';
import { unwrapRootKey } from '../../src/crypto/passphrase.js';
import { deriveUserKeys, stripeDirectoryKey, userId } from '../../src/crypto/root-key.js';
import {
  ExtentUnsealer,
  plainBytes,
  sealedBytes,
  sealedRange,
  sealExtentInto,
  unsealExtent,
  unsealRange,
} from '../../src/crypto/seal.js';
import { type ErrorCode, StorageError } from '../../src/errors.js';
import { type BadRecord, compose, pattern, readSealingVectors } from './sealing-vectors.js';

const vectors = readSealingVectors();
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const keys = deriveUserKeys(bytes(vectors.rootKey.rootKey));

function refused(run: () => unknown, code: ErrorCode): void {
  assert.throws(run, (error) => StorageError.is(error, code));
}

/** How sealed bytes come: whole, in pieces, byte by byte. */
const WAYS = { 'in pieces': 4099, 'byte by byte': 1 };

function unsealInPieces(key: Uint8Array, sealed: Uint8Array, total: number, pieceBytes: number): Buffer {
  const unsealer = new ExtentUnsealer(key, total);
  const blocks: Buffer[] = [];
  for (let at = 0; at < sealed.length; at += pieceBytes)
    blocks.push(...unsealer.push(sealed.subarray(at, at + pieceBytes)));
  unsealer.end();
  return Buffer.concat(blocks);
}

describe('sealed extents', () => {
  const sealedByName = new Map<string, Uint8Array>();
  for (const good of vectors.extents.good) {
    const plaintext = pattern(good.bytes);
    const sealed = new Uint8Array(sealedBytes(good.bytes));
    sealExtentInto(bytes(good.key), plaintext, sealed);
    sealedByName.set(good.name, sealed);

    test(good.name, () => {
      assert.equal(sealed.length, good.sealedBytes);
      assert.equal(plainBytes(good.sealedBytes), good.bytes);
      assert.equal(createHash('sha256').update(sealed).digest('hex'), good.sealedSha256);
      if (good.sealed !== undefined) assert.equal(toHex(sealed), good.sealed);
      assert.deepEqual(Buffer.concat([...unsealExtent(bytes(good.key), sealed)]), Buffer.from(plaintext));
      for (const pieceBytes of Object.values(WAYS)) {
        assert.deepEqual(unsealInPieces(bytes(good.key), sealed, good.bytes, pieceBytes), Buffer.from(plaintext));
      }
    });
  }

  for (const bad of vectors.extents.bad) {
    test(`refused: ${bad.name}`, () => {
      const believed = vectors.extents.good.find(({ name }) => name === bad.extent);
      assert.ok(believed);
      const key = bytes(bad.key ?? believed.key);
      const sealed = compose(bad, sealedByName);
      refused(() => [...unsealExtent(key, sealed)], bad.error);
      for (const pieceBytes of Object.values(WAYS)) {
        refused(() => unsealInPieces(key, sealed, believed.bytes, pieceBytes), bad.error);
      }
    });
  }

  test('lengths that no extent has', () => {
    for (const sealed of vectors.impossibleSealedBytes) refused(() => plainBytes(sealed), 'CORRUPT');
  });

  test('ranges', () => {
    const good = vectors.extents.good.find(({ name }) => name === 'three blocks, the last short');
    const sealed = sealedByName.get('three blocks, the last short');
    assert.ok(good && sealed);
    for (const { total, start, end, sealedStart, sealedEnd, firstBlock, skip } of vectors.ranges) {
      const range = sealedRange(start, end, total);
      assert.deepEqual(range, { start: sealedStart, end: sealedEnd, firstBlock, skip, bytes: end - start, total });
      const opened = unsealRange(bytes(good.key), sealed.subarray(sealedStart, sealedEnd), range);
      assert.deepEqual(Buffer.concat([...opened]), Buffer.from(pattern(total).subarray(start, end)));
    }
  });
});

test('keys from a root key', () => {
  const { rootKey, userId: id, ...expected } = vectors.rootKey;
  assert.equal(rootKey.length, 64);
  assert.deepEqual(
    {
      catalogKey: toHex(keys.catalogKey),
      directoryKey: toHex(keys.directoryKey),
      signingPublicKey: toHex(keys.signing.publicKey),
      sharingPublicKey: toHex(keys.sharing.publicKey),
    },
    expected,
  );
  assert.equal(userId(keys.signing.publicKey), id);
});

describe('a wrapped root key', () => {
  const unwrap = async (change: (typeof vectors.wrap.bad)[number] | undefined): Promise<Uint8Array> => {
    const { passphrase = vectors.wrap.passphrase, ...fields } = { ...vectors.wrap.good, ...change };
    return unwrapRootKey(passphrase, { ...fields, salt: bytes(fields.salt), sealed: bytes(fields.sealed) }, fields);
  };

  test('opens', async () => {
    assert.equal(toHex(await unwrap(undefined)), vectors.rootKey.rootKey);
  });

  for (const bad of vectors.wrap.bad) {
    test(`refused: ${bad.name}`, async () => {
      await assert.rejects(unwrap(bad), (error) => StorageError.is(error, bad.error));
    });
  }
});

describe('a stripe directory', () => {
  const { offset, salt, key, plaintext, sealed, entries, bad } = vectors.directory;
  const directoryKey = (given: Uint8Array): Uint8Array => stripeDirectoryKey(keys.directoryKey, given);
  const expected = entries.map((entry) => ({
    ...entry,
    file: parseFileId(entry.file),
    version: parseVersionId(entry.version),
    key: bytes(entry.key),
  }));

  test('opens, and is sealed to the same bytes', async () => {
    assert.equal(toHex(directoryKey(bytes(salt))), key);
    assert.deepEqual(await unsealDirectory(bytes(sealed), offset, directoryKey), expected);
    assert.deepEqual(decodeDirectory(bytes(plaintext), offset), expected);
    assert.equal(toHex(await sealDirectory(expected, offset, directoryKey, bytes(salt))), sealed);
  });

  for (const { name, plaintext: wrong, error } of bad) {
    test(`refused: ${name}`, () => refused(() => decodeDirectory(bytes(wrong), offset), error));
  }
});

function refusedRecords(open: (signed: Uint8Array) => unknown, records: readonly BadRecord[]): void {
  for (const { name, signed, error } of records) {
    test(`refused: ${name}`, () => refused(() => open(bytes(signed)), error));
  }
}

describe('a label', () => {
  const { fields, stripe, body, signed, bad } = vectors.label;
  test('opens, and is signed to the same bytes', () => {
    const { generation, ...label } = openLabel(bytes(signed));
    assert.equal(generation, 1);
    assert.deepEqual(label, { ...fields, stripe });
    assert.deepEqual(decodeLabel(bytes(body)), label);
    assert.equal(toHex(encodeLabel(label)), body);
    assert.equal(toHex(sealSigned('label', bytes(body), keys.signing)), signed);
  });
  refusedRecords(openLabel, bad);
});

describe('a grant', () => {
  const { fields, body, signed, bad } = vectors.grant;
  test('opens, and is signed to the same bytes', () => {
    assert.deepEqual(openGrant(bytes(signed)), { ...fields, generation: 1 });
    assert.equal(toHex(sealSigned('grant', bytes(body), keys.signing)), signed);
  });
  refusedRecords(openGrant, bad);
});

describe('a delete order', () => {
  const { fields, body, signed, bad } = vectors.deleteOrder;
  test('opens, and is signed to the same bytes', () => {
    assert.deepEqual(openDeleteOrder(bytes(signed)), { ...fields, generation: 1 });
    assert.equal(toHex(sealSigned('delete', bytes(body), keys.signing)), signed);
  });
  refusedRecords(openDeleteOrder, bad);
});

test('a receipt', () => {
  const { publicKey, fields, body, signature } = vectors.receipt;
  const key = createPublicKey({ key: Buffer.from(publicKey, 'hex'), format: 'der', type: 'spki' });
  const receipt = { body: bytes(body), signature: bytes(signature) };
  const asked = {
    chunk: parseChunkId(String(fields['chunk'])),
    owner: parseUserId(String(fields['owner'])),
    bytes: 2501,
  };
  assert.deepEqual({ ...verifyReceipt(receipt, key, asked) }, fields);
  refused(() => verifyReceipt({ ...receipt, body: receipt.body.with(70, 0) }, key, asked), 'PERMISSION_DENIED');
});

test('ids', () => {
  for (const { bytes: length, segmentBytes, id } of vectors.ids.chunks) {
    assert.equal(describeChunk(pattern(length), segmentBytes).id, id);
  }
  const { k, m, chunks, id } = vectors.ids.stripe;
  assert.equal(
    stripeId(
      k,
      m,
      chunks.map((chunk) => parseChunkId(chunk)),
    ),
    id,
  );
});
