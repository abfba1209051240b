import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableRows } from '../test/repository.js';
import * as all from './limits.js';

const UNITS: Readonly<Record<string, number>> = {
  bytes: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** @returns the number that "64 KiB" stands for where it is the value of `name` */
function parseValue(name: string, text: string): number {
  const [amount = '', unit] = text.split(' ');
  const scale = unit === undefined ? 1 : UNITS[unit];
  assert.ok(scale !== undefined, `${name}: unknown unit ${String(unit)}`);
  return (Number(amount) * scale) / (name.endsWith('_KIB') ? 1024 : 1);
}

test('docs/limits.md gives every limit with its value and a reason, and nothing else', () => {
  const documented = new Map<string, number | readonly number[]>();
  for (const [name = '', value = '', reason = ''] of tableRows('docs/limits.md')) {
    if (name === 'name') continue;
    const numbers = value.split(', ').map((item) => parseValue(name, item));
    const [first] = numbers;
    assert.ok(first !== undefined && reason !== '', name);
    documented.set(name, numbers.length === 1 ? first : numbers);
  }
  assert.deepEqual(Object.fromEntries(documented), { ...all });
});

test('the limits fit each other', () => {
  const { SEGMENT_BYTES, MAX_CHUNK_BYTES } = all;
  assert.equal(MAX_CHUNK_BYTES % SEGMENT_BYTES, 0);
  assert.equal(SEGMENT_BYTES % all.BLOCK_BYTES, 0);
  const ascending: readonly (readonly [string, ...number[]])[] = [
    ['the bitmap of Have is a fixed32', all.MAX_SEGMENTS, 32],
    ['placement uses what the coder can make', all.MAX_PLACED_CHUNKS, all.MAX_STRIPE_CHUNKS],
    ['a message holds a segment and its envelope', SEGMENT_BYTES + 1024, all.MAX_MESSAGE_BYTES],
    ['a directory leaves room in the smallest stripe', all.MAX_DIRECTORY_BYTES, all.MIN_DATA_CHUNKS * MAX_CHUNK_BYTES],
  ];
  for (const [reason, low = NaN, high = NaN] of ascending) assert.ok(low <= high, reason);
});
