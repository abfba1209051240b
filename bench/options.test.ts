import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageError } from '../src/errors.js';
import { parseByteCount } from './byte-count.js';
import { parseBenchOptions, PARTS } from './options.js';

function refused(error: unknown): boolean {
  return StorageError.is(error, 'INVALID_ARGUMENT');
}

describe('sizes', () => {
  it('take binary and decimal units', () => {
    assert.equal(parseByteCount('1GiB'), 2 ** 30);
    assert.equal(parseByteCount('64 MiB'), 64 * 2 ** 20);
    assert.equal(parseByteCount('1.5GB'), 1_500_000_000);
    assert.equal(parseByteCount('4096'), 4096);
  });

  it('are refused when they are none', () => {
    for (const text of ['', 'GiB', '-1', '1 gib', '1e9', '1GiBs']) assert.throws(() => parseByteCount(text), refused);
  });
});

describe('options', () => {
  it('measure everything where nothing is said', () => {
    const options = parseBenchOptions([]);
    assert.deepEqual(options, {
      bytes: 2 ** 30,
      files: 5000,
      entries: 100_000,
      documents: 20_000,
      parts: new Set(PARTS),
    });
  });

  it('take what is said', () => {
    const options = parseBenchOptions([
      '--bytes',
      '8MiB',
      '--files',
      '20',
      '--entries',
      '500',
      '--documents',
      '50',
      '--json',
      '-',
    ]);
    assert.deepEqual(options, {
      bytes: 8 * 2 ** 20,
      files: 20,
      entries: 500,
      documents: 50,
      parts: new Set(PARTS),
      json: '-',
    });
  });

  it('ask for help', () => {
    assert.equal(parseBenchOptions(['--help']), undefined);
  });

  it('are refused when nobody knows them', () => {
    for (const words of [
      ['--only', 'everything'],
      ['--bytes', '0'],
      ['--files', '1.5'],
      ['--entries', '1'],
      ['--documents', 'all'],
      ['--speed'],
      ['file'],
    ]) {
      assert.throws(() => parseBenchOptions(words), refused, words.join(' '));
    }
  });
});
