import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MovesAgain } from './moves-again.js';

const MINUTE_MS = 60_000;

/** A look at all that are due. */
function take(again: MovesAgain): readonly string[] {
  const due = again.due();
  for (const stripe of due) again.looked(stripe, performance.now());
  return due;
}

describe('MovesAgain', () => {
  it('has each stripe looked at twice more, and then no more', (test) => {
    let nowMs = 0;
    test.mock.method(performance, 'now', () => nowMs);
    const again = new MovesAgain();
    assert.deepEqual([take(again), again.waitMs()], [[], Number.POSITIVE_INFINITY]);
    again.add('a', nowMs);
    assert.deepEqual([take(again), again.waitMs()], [[], MINUTE_MS / 2]);
    nowMs = MINUTE_MS / 2;
    again.add('b', nowMs);
    assert.equal(again.waitMs(), 0);
    assert.deepEqual([take(again), again.waitMs()], [['a'], MINUTE_MS / 2]);
    nowMs = MINUTE_MS;
    assert.deepEqual([take(again), again.waitMs()], [['b'], 9.5 * MINUTE_MS]);
    nowMs = 11 * MINUTE_MS;
    assert.deepEqual([take(again), take(again)], [['a', 'b'], []]);
  });

  it('has one that was postponed looked at at once, and twice more', (test) => {
    let nowMs = 0;
    test.mock.method(performance, 'now', () => nowMs);
    const again = new MovesAgain();
    again.postpone('a');
    assert.deepEqual([again.due(), again.due(), again.waitMs()], [['a'], ['a'], 0], 'until it was looked at');
    assert.deepEqual([take(again), again.waitMs()], [['a'], MINUTE_MS / 2]);
    nowMs = MINUTE_MS;
    assert.deepEqual([take(again), again.waitMs()], [['a'], 10 * MINUTE_MS]);
  });

  it('holds a bounded number of them', (test) => {
    let nowMs = 0;
    test.mock.method(performance, 'now', () => nowMs);
    const again = new MovesAgain();
    for (let n = 0; n < 10_001; n++) again.add(String(n), nowMs);
    nowMs = MINUTE_MS;
    assert.equal(again.due().length, 64);
    let looks = 0;
    for (let due = take(again); due.length > 0; due = take(again)) looks += due.length;
    assert.equal(looks, 10_000);
  });
});
