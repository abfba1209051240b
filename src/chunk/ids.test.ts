import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, test } from 'node:test';
import { StorageError } from '../errors.js';
import { chunkId, idBytes, parseChunkId, parseFileId, stripeId } from './ids.js';

const HEX = '00ff'.repeat(16);

describe('an id', () => {
  test('is read from hex and from bytes', () => {
    assert.equal(parseChunkId(HEX), HEX);
    assert.equal(parseChunkId(idBytes(HEX)), HEX);
    assert.deepEqual(idBytes('00ff10'), Uint8Array.of(0, 255, 16));
  });

  test('of another length or spelling is refused as INVALID_ARGUMENT', () => {
    for (const value of ['', HEX.slice(2), `${HEX}00`, HEX.toUpperCase(), `${HEX.slice(1)}g`, new Uint8Array(31)]) {
      assert.throws(
        () => parseChunkId(value),
        (error) => StorageError.is(error, 'INVALID_ARGUMENT'),
      );
    }
    assert.throws(() => parseFileId(HEX), /file id is 16 bytes/);
  });
});

/** The same by another road: one concatenation and one hash, as docs/spec/3-chunk.md writes it. */
function sha256(...parts: readonly (string | Uint8Array)[]): string {
  return createHash('sha256')
    .update(Buffer.concat(parts.map((part) => Buffer.from(part))))
    .digest('hex');
}

describe('chunkId', () => {
  const hashes = new Uint8Array(64).fill(7);
  const id = chunkId(131_072, 200_000, hashes);

  test('is the hash that the format defines', () => {
    const numbers = Buffer.from('00020000' + '0000000000030d40', 'hex');
    assert.equal(id, sha256('shoal/chunk/1', numbers, hashes));
  });

  test('depends on the segment size, the length and every hash', () => {
    const others = [
      chunkId(65_536, 200_000, hashes),
      chunkId(131_072, 200_001, hashes),
      chunkId(131_072, 200_000, hashes.with(63, 8)),
    ];
    assert.equal(new Set([id, ...others]).size, 4);
  });
});

describe('stripeId', () => {
  const first = parseChunkId('11'.repeat(32));
  const second = parseChunkId('22'.repeat(32));
  const third = parseChunkId('33'.repeat(32));
  const id = stripeId(2, 1, [first, second, third]);

  test('is the hash that the format defines', () => {
    const chunks = Buffer.from(first + second + third, 'hex');
    assert.equal(id, sha256('shoal/stripe/1', Uint8Array.of(2, 1), chunks));
  });

  test('depends on k, m and the order of the chunks', () => {
    const others = [
      stripeId(1, 2, [first, second, third]),
      stripeId(2, 2, [first, second, third]),
      stripeId(2, 1, [second, first, third]),
    ];
    assert.equal(new Set([id, ...others]).size, 4);
  });
});
