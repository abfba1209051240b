import assert from 'node:assert/strict';
import { it } from 'node:test';
import { StorageError } from '../errors.js';
import { parseBytes, parseCount, parseDuration, parseOnOff } from './quantities.js';

function invalid(error: unknown): boolean {
  return StorageError.is(error, 'INVALID_ARGUMENT');
}

it('a size has a unit, or none', () => {
  assert.deepEqual(['500GB', '2 tb', '1.5TiB', '42'].map(parseBytes), [5e11, 2e12, 1.5 * 2 ** 40, 42]);
  for (const text of ['', 'GB', '-1GB', '0', '1e9', '1GBB', '9999999999999TB', '1,5GB']) {
    assert.throws(() => parseBytes(text), invalid, text);
  }
});

it('a time has a unit', () => {
  assert.deepEqual(['30m', '24h', '7d'].map(parseDuration), [1_800_000, 86_400_000, 604_800_000]);
  for (const text of ['', '7', 'd', '0h', '1.5h', '-1d', '7w']) assert.throws(() => parseDuration(text), invalid, text);
});

it('a switch is on or off, a count in digits', () => {
  assert.deepEqual(['on', 'off'].map(parseOnOff), [true, false]);
  assert.throws(() => parseOnOff('yes'), invalid);
  assert.equal(parseCount('12'), 12);
  for (const text of ['', '-1', '1.5', '12345', 'two']) assert.throws(() => parseCount(text), invalid, text);
});
