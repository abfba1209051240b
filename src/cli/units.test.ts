import assert from 'node:assert/strict';
import { it } from 'node:test';
import { printable } from './printable.js';
import { count, formatBytes, formatSeconds, formatSpeed, formatTime } from './units.js';

it('formats bytes', () => {
  assert.deepEqual([0, 999, 1000, 999_949, 999_950, 268_435_456, 3e18].map(formatBytes), [
    '0 B',
    '999 B',
    '1.0 kB',
    '999.9 kB',
    '1.0 MB',
    '268.4 MB',
    '3000.0 PB',
  ]);
});

it('formats speeds', () => {
  assert.equal(formatSpeed(1e6, 0), '– MB/s');
  assert.equal(formatSpeed(5e6, 1), '5.0 MB/s');
  assert.equal(formatSpeed(424e6, 2), '212 MB/s');
});

it('formats times', () => {
  assert.deepEqual([0.44, 9.9, 9.96, 59.4, 59.6, 185, 7800].map(formatSeconds), [
    '0.4 s',
    '9.9 s',
    '10 s',
    '59 s',
    '1 min 00 s',
    '3 min 05 s',
    '2 h 10 min',
  ]);
  assert.match(formatTime('2026-11-22T14:03:00Z'), /^2026-11-2[123] \d\d:\d\d$/);
  assert.equal(formatTime('yesterday'), '?');
});

it('counts', () => {
  assert.equal(count(1, 'file'), '1 file');
  assert.equal(count(5000, 'file'), '5,000 files');
});

it('shows a name so that it cannot act on a terminal', () => {
  assert.equal(printable('a\u001b[31mb\u202ec\nd é 猫'), 'a\\u{1b}[31mb\\u{202e}c\\u{a}d é 猫');
});
