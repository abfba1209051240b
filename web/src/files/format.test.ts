import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatDuration, formatFullTime, formatMoment, formatSpeed } from './format.js';

describe('speeds and times', () => {
  test('of sending', () => {
    assert.equal(formatSpeed(12_300_000.4), '12.3 MB/s');
    assert.deepEqual([0.2, 59.4, 61, 3600, 7980].map(formatDuration), ['1 s', '59 s', '1 min', '1 h', '2 h 13 min']);
  });

  test('of today are told by the clock, others by the day', () => {
    const now = new Date(2026, 10, 23, 18, 0).getTime();
    assert.equal(formatMoment(new Date(2026, 10, 23, 14, 3).toISOString(), now), '14:03');
    assert.equal(formatMoment(new Date(2026, 10, 22, 23, 59).toISOString(), now), '22 Nov 2026');
    assert.equal(formatMoment(new Date(2026, 10, 24, 0, 0).toISOString(), now), '24 Nov 2026');
    assert.equal(formatMoment('no time', now), '');
    assert.equal(formatFullTime('no time'), '');
  });
});
