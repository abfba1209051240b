import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { StorageError } from '../errors.js';
import { BLOCK_BYTES } from '../limits.js';
import {
  EXTENT_HEADER_BYTES,
  ExtentSealer,
  ExtentUnsealer,
  newExtentKey,
  sealedBytes,
  sealedRange,
  sealExtentInto,
  unsealExtent,
  unsealRange,
} from './seal.js';

const LENGTHS = [1, 15, 16, 17, BLOCK_BYTES - 1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES, 3 * BLOCK_BYTES + 7];

function seal(key: Uint8Array, plaintext: Uint8Array): Uint8Array {
  const out = new Uint8Array(sealedBytes(plaintext.length));
  assert.equal(sealExtentInto(key, plaintext, out), out.length);
  return out;
}

function corrupt(run: () => unknown): void {
  assert.throws(run, (error) => StorageError.is(error, 'CORRUPT'));
}

/** Cuts bytes in pieces of these lengths, again and again. */
function* cut(bytes: Uint8Array, lengths: readonly number[]): Generator<Uint8Array> {
  for (let offset = 0, turn = 0; offset < bytes.length; turn++) {
    const length = lengths[turn % lengths.length] ?? 1;
    yield bytes.subarray(offset, offset + length);
    offset += length;
  }
}

describe('a sealed extent', () => {
  for (const length of LENGTHS) {
    test(`of ${String(length)} bytes opens to what was sealed, whole and streamed`, () => {
      const key = newExtentKey();
      const plaintext = randomBytes(length);
      const sealed = seal(key, plaintext);
      assert.deepEqual(Buffer.concat([...unsealExtent(key, sealed)]), plaintext);
      for (const lengths of [[1 << 20], [BLOCK_BYTES], [1, BLOCK_BYTES], [100_003], [0, 4096, 70_000]]) {
        const out = new Uint8Array(sealed.length);
        sealExtentInto(key, [...cut(plaintext, lengths)], out);
        assert.deepEqual(out, sealed);
        const unsealer = new ExtentUnsealer(key, length);
        const blocks = [...cut(sealed, lengths)].flatMap((piece) => unsealer.push(piece));
        unsealer.end();
        assert.deepEqual(Buffer.concat(blocks), plaintext);
      }
    });
  }

  test('lies in the view it was given, and nowhere else', () => {
    const memory = new Uint8Array(200_000);
    const plaintext = randomBytes(100_000);
    const length = sealExtentInto(newExtentKey(), plaintext, memory.subarray(1000));
    assert.equal(length, sealedBytes(100_000));
    assert.ok(memory.subarray(0, 1000).every((byte) => byte === 0));
    assert.ok(memory.subarray(1000 + length).every((byte) => byte === 0));
  });

  test('is written as its blocks fill', () => {
    const sealer = new ExtentSealer(newExtentKey(), new Uint8Array(sealedBytes(2 * BLOCK_BYTES)));
    assert.equal(sealer.written, EXTENT_HEADER_BYTES);
    sealer.push(new Uint8Array(BLOCK_BYTES));
    assert.equal(sealer.written, EXTENT_HEADER_BYTES);
    sealer.push(new Uint8Array(BLOCK_BYTES));
    assert.equal(sealer.written, sealedBytes(BLOCK_BYTES));
    assert.equal(sealer.end(), sealedBytes(2 * BLOCK_BYTES));
  });

  test('does not read a piece after push returned', () => {
    const key = newExtentKey();
    const piece = randomBytes(BLOCK_BYTES);
    const twice = Buffer.concat([piece, piece]);
    const out = new Uint8Array(sealedBytes(twice.length));
    const sealer = new ExtentSealer(key, out);
    sealer.push(piece);
    piece.fill(0);
    sealer.push(twice.subarray(BLOCK_BYTES));
    sealer.end();
    assert.deepEqual(Buffer.concat([...unsealExtent(key, out)]), twice);
  });

  test('of nothing, past its end or without room is a bug of the caller', () => {
    const out = new Uint8Array(200);
    assert.throws(() => sealExtentInto(newExtentKey(), new Uint8Array(0), out), /bug/);
    assert.throws(() => sealExtentInto(newExtentKey(), [], out), /bug/);
    assert.throws(() => sealExtentInto(newExtentKey(), new Uint8Array(200), out), /bug/);
    assert.throws(() => sealExtentInto(new Uint8Array(31), new Uint8Array(1), out), /bug/);
    const sealer = new ExtentSealer(newExtentKey(), out);
    sealer.push(new Uint8Array(1));
    sealer.end();
    assert.throws(() => sealer.push(new Uint8Array(1)), /bug/);
    assert.throws(() => sealer.end(), /bug/);
  });

  test('shows nothing of its plaintext', () => {
    const sealed = seal(newExtentKey(), new Uint8Array(1 << 20));
    const seen = new Set<string>();
    for (let at = EXTENT_HEADER_BYTES; at + 32 <= sealed.length; at += 32) {
      seen.add(
        createHash('md5')
          .update(sealed.subarray(at, at + 32))
          .digest('hex'),
      );
    }
    assert.equal(seen.size, Math.floor((sealed.length - EXTENT_HEADER_BYTES) / 32));
  });
});

describe('unsealing refuses', () => {
  const key = newExtentKey();
  const plaintext = randomBytes(2 * BLOCK_BYTES + 100);
  const sealed = seal(key, plaintext);

  test('another key', () => {
    corrupt(() => [...unsealExtent(newExtentKey(), sealed)]);
    corrupt(() => new ExtentUnsealer(newExtentKey(), plaintext.length).push(sealed));
    const range = sealedRange(0, 10, plaintext.length);
    corrupt(() => [...unsealRange(newExtentKey(), sealed.subarray(range.start, range.end), range)]);
  });

  test('a version and a codec from the future, by name', () => {
    for (const at of [0, 1]) {
      const later = sealed.slice();
      later[at] = 7;
      for (const run of [
        () => [...unsealExtent(key, later)],
        () => new ExtentUnsealer(key, plaintext.length).push(later),
      ]) {
        assert.throws(run, (error) => StorageError.is(error, 'UNSUPPORTED') && error.message.includes('7'));
      }
    }
  });

  test('a stream that ends early, or does not end', () => {
    for (const length of [0, 1, EXTENT_HEADER_BYTES, sealedBytes(BLOCK_BYTES), sealed.length - 1]) {
      const unsealer = new ExtentUnsealer(key, plaintext.length);
      unsealer.push(sealed.subarray(0, length));
      corrupt(() => unsealer.end());
    }
    const unsealer = new ExtentUnsealer(key, plaintext.length);
    unsealer.push(sealed);
    corrupt(() => unsealer.push(Uint8Array.of(0)));
  });

  test('fewer or more whole blocks than the range has', () => {
    const range = sealedRange(0, 2 * BLOCK_BYTES, plaintext.length);
    const end = range.end - (range.end - range.start) / 2;
    corrupt(() => [...unsealRange(key, sealed.subarray(range.start, end), range)]);
    corrupt(() => [...unsealRange(key, sealed.subarray(range.start), range)]);
  });

  test('a length that the manifest did not promise', () => {
    corrupt(() => new ExtentUnsealer(key, plaintext.length - 1).push(sealed));
    corrupt(() => new ExtentUnsealer(key, 2 * BLOCK_BYTES).push(sealed));
    const range = sealedRange(0, BLOCK_BYTES, BLOCK_BYTES);
    corrupt(() => [...unsealRange(key, sealed.subarray(range.start, range.end), range)]);
  });
});
