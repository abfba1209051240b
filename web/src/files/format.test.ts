import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { formatFullTime, formatMoment, formatSpeed } from './format.js';

describe('speeds and times', () => {
  test('of sending', () => {
    assert.equal(formatSpeed(12_300_000.4), '12.3 MB/s');
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
