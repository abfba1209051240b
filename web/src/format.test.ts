import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { counted, fingerprint, formatAgo, formatBytes, formatDuration, formatLatency } from './format.js';

describe('format', () => {
  it('has three digits of a size', () => {
    assert.deepEqual([0, 999, 1000, 268_435_456, 999_960, 1.5e15].map(formatBytes), [
      '0 B',
      '999 B',
      '1.0 kB',
      '268 MB',
      '1.0 MB',
      '1.5 PB',
    ]);
  });

  it('counts', () => {
    assert.deepEqual(
      [counted(1, 'file'), counted(1204, 'file'), counted(0, 'file')],
      ['1 file', '1,204 files', '0 files'],
    );
  });

  it('says how long ago', () => {
    const now = Date.UTC(2026, 10, 23);
    assert.equal(formatAgo(now - 3 * 60_000, now), '3 minutes ago');
    assert.equal(formatAgo(now + 2 * 3_600_000, now), 'in 2 hours');
    assert.equal(formatAgo(now - 86_400_000, now), 'yesterday');
    assert.equal(formatAgo(now - 5_000, now), 'now');
  });

  it('rounds latencies to what matters', () => {
    assert.deepEqual([0, 0.42, 12.4, 999.9].map(formatLatency), ['0 ms', '0.4 ms', '12 ms', '1.0 s']);
  });

  it('says how long something takes', () => {
    assert.deepEqual([0.2, 59.4, 61, 3600, 7980].map(formatDuration), ['1 s', '59 s', '1 min', '1 h', '2 h 13 min']);
    assert.deepEqual([172_740, 172_800, 500_000].map(formatDuration), ['47 h 59 min', '2 days', '6 days']);
  });

  it('groups the digits of an id', () => {
    assert.equal(fingerprint('0123456789abcdef'.repeat(4)), '0123 4567 89ab cdef 0123 4567 89ab cdef');
  });
});
