import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { deriveUserKeys, newRootKey, stripeDirectoryKey } from '../crypto/root-key.js';
import { sealedBytes } from '../crypto/seal.js';
import { type ErrorCode, StorageError } from '../errors.js';
import type { DirectoryEntry } from '../gen/shoal/v1/format.js';
import { Directory } from '../gen/shoal/v1/format.js';
import { MAX_DIRECTORY_BYTES, MAX_PATH_BYTES } from '../limits.js';
import {
  decodeDirectory,
  directoryEntryBytes,
  type DirectoryExtent,
  MIN_DIRECTORY_BYTES,
  sealDirectory,
  sealedDirectoryBytes,
  unsealDirectory,
} from './directory.js';
import { idBytes, parseFileId, parseVersionId } from './ids.js';

const OFFSET = 100_000;
const userKey = deriveUserKeys(newRootKey()).directoryKey;
const directoryKey = (salt: Uint8Array) => stripeDirectoryKey(userKey, salt);

const extent: DirectoryExtent = {
  file: parseFileId('11'.repeat(16)),
  version: parseVersionId('22'.repeat(16)),
  path: '/photos/cat.jpg',
  modifiedMs: 1_700_000_000_000,
  mode: 0o644,
  fileOffset: 0,
  last: true,
  key: Uint8Array.from(randomBytes(32)),
  offset: 51,
  sealedBytes: sealedBytes(5000),
  bytes: 5000,
};
const empty: DirectoryExtent = { ...extent, key: new Uint8Array(0), offset: 0, sealedBytes: 0, bytes: 0 };

function encode(entries: readonly Partial<DirectoryEntry>[]): Uint8Array {
  const ids = { file: idBytes(extent.file), version: idBytes(extent.version), createdMs: 0 };
  return Directory.encode({ format: 1, entries: entries.map((entry) => ({ ...extent, ...ids, ...entry })) }).finish();
}

function refused(run: () => unknown, code: ErrorCode): void {
  assert.throws(run, (error) => StorageError.is(error, code));
}

describe('the directory of a stripe', () => {
  test('opens to what was sealed', async () => {
    const entries = [
      extent,
      empty,
      { ...extent, path: '/b', fileOffset: 5000, last: false },
      { ...extent, createdMs: 1_800_000_000_000 },
    ];
    const sealed = await sealDirectory(entries, OFFSET, directoryKey);
    assert.deepEqual(await unsealDirectory(sealed, OFFSET, directoryKey), entries);
    const none = await sealDirectory([], 0, directoryKey);
    assert.equal(none.length, MIN_DIRECTORY_BYTES);
    assert.deepEqual(await unsealDirectory(none, 0, directoryKey), []);
  });

  test('does not open with another key, another salt or a flipped bit', async () => {
    const sealed = await sealDirectory([extent], OFFSET, directoryKey);
    const stranger = deriveUserKeys(newRootKey()).directoryKey;
    const corrupt = (error: unknown) => StorageError.is(error, 'CORRUPT');
    await assert.rejects(
      unsealDirectory(sealed, OFFSET, (salt) => stripeDirectoryKey(stranger, salt)),
      corrupt,
    );
    for (const at of [0, 40, sealed.length - 1]) {
      const flipped = sealed.slice();
      flipped[at] = (flipped[at] ?? 0) ^ 4;
      await assert.rejects(unsealDirectory(flipped, OFFSET, directoryKey), corrupt);
    }
    for (const length of [0, 31, MIN_DIRECTORY_BYTES - 1, sealed.length - 1]) {
      await assert.rejects(unsealDirectory(sealed.subarray(0, length), OFFSET, directoryKey), corrupt);
    }
  });

  test('never has the same salt twice', async () => {
    const [one, two] = [await sealDirectory([], 0, directoryKey), await sealDirectory([], 0, directoryKey)];
    assert.notDeepEqual(one.subarray(0, 32), two.subarray(0, 32));
  });

  test('is never longer than it was estimated, and not much shorter', async () => {
    const number = fc.nat({ max: Number.MAX_SAFE_INTEGER });
    const path = fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 9 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(path, number), { maxLength: 20 }), async (files) => {
        const entries = files.map(([names, modifiedMs]) => {
          const normal = `/${names.map((name) => `n${name.replace(/[/\p{Cc}\p{Cs}]/gu, '')}`).join('/')}`;
          const place = { mode: 0o7777, fileOffset: Number.MAX_SAFE_INTEGER - 5000 };
          return { ...extent, ...place, path: normal, modifiedMs, createdMs: modifiedMs };
        });
        const estimate = sealedDirectoryBytes(entries.reduce((sum, entry) => sum + directoryEntryBytes(entry.path), 0));
        const sealed = await sealDirectory(entries, OFFSET, directoryKey);
        assert.ok(sealed.length <= estimate);
        assert.ok(estimate - sealed.length <= 60 * entries.length);
      }),
      { numRuns: 50 },
    );
    const widest = {
      ...extent,
      path: `/${'a'.repeat(255)}`.repeat(16),
      offset: 2 ** 28,
      bytes: 2 ** 28,
      createdMs: 2 ** 52,
    };
    assert.equal(widest.path.length, MAX_PATH_BYTES);
    const sealed = await sealDirectory([{ ...widest, sealedBytes: sealedBytes(2 ** 28) }], 2 ** 31, directoryKey);
    assert.ok(sealed.length <= sealedDirectoryBytes(directoryEntryBytes(widest.path)));
  });
});

describe('decoding a directory', () => {
  test('refuses every field that is not what it should be', () => {
    const wrong: Partial<DirectoryEntry>[] = [
      { file: new Uint8Array(15) },
      { version: new Uint8Array(0) },
      { path: '' },
      { path: 'relative' },
      { path: '/a/../b' },
      { path: '/line\nbreak' },
      { path: `/${'a'.repeat(256)}` },
      { mode: 0o10000 },
      { fileOffset: Number.MAX_SAFE_INTEGER },
      { key: new Uint8Array(31) },
      { key: new Uint8Array(0) },
      { bytes: 0 },
      { bytes: 4999 },
      { sealedBytes: sealedBytes(5000) + 1 },
      { offset: OFFSET - sealedBytes(5000) + 1 },
      { ...empty, file: idBytes(extent.file), version: idBytes(extent.version), last: false },
    ];
    for (const entry of wrong) refused(() => decodeDirectory(encode([{}, entry]), OFFSET), 'CORRUPT');
    assert.equal(decodeDirectory(encode([{}]), OFFSET).length, 1);
  });

  test('refuses a path that is not UTF-8', () => {
    const bytes = Buffer.from(encode([{}]));
    bytes[bytes.indexOf('cat.jpg')] = 0xff;
    refused(() => decodeDirectory(bytes, OFFSET), 'CORRUPT');
  });

  test('names a format from the future, even when the rest makes no sense', () => {
    const later = new BinaryWriter()
      .uint32(8)
      .uint32(2)
      .uint32(18)
      .bytes(Uint8Array.of(1, 2, 3))
      .finish();
    refused(() => decodeDirectory(later, OFFSET), 'UNSUPPORTED');
    refused(() => decodeDirectory(Directory.encode({ format: 0, entries: [] }).finish(), OFFSET), 'CORRUPT');
  });

  test('stops at the first wrong entry of many', () => {
    const bomb = new Uint8Array(MAX_DIRECTORY_BYTES);
    for (let at = 2; at < bomb.length; at += 2) bomb[at] = 18;
    bomb.set([8, 1]);
    refused(() => decodeDirectory(bomb, OFFSET), 'CORRUPT');
    refused(() => decodeDirectory(new Uint8Array(MAX_DIRECTORY_BYTES + 1), OFFSET), 'LIMIT_EXCEEDED');
  });
});
