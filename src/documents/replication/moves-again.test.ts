import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MovesAgain } from './moves-again.js';

const MINUTE_MS = 60_000;

describe('MovesAgain', () => {
  it('has each stripe looked at twice more, and then no more', (test) => {
    let nowMs = 0;
    test.mock.method(performance, 'now', () => nowMs);
    const again = new MovesAgain();
    assert.deepEqual([again.take(), again.waitMs()], [[], Number.POSITIVE_INFINITY]);
    again.add('a');
    assert.deepEqual([again.take(), again.waitMs()], [[], MINUTE_MS / 2]);
    nowMs = MINUTE_MS / 2;
    again.add('b');
    assert.equal(again.waitMs(), 0);
    assert.deepEqual([again.take(), again.waitMs()], [['a'], MINUTE_MS / 2]);
    nowMs = MINUTE_MS;
    assert.deepEqual([again.take(), again.waitMs()], [['b'], 9.5 * MINUTE_MS]);
    nowMs = 11 * MINUTE_MS;
    assert.deepEqual([again.take(), again.take()], [['a', 'b'], []]);
  });

  it('holds a bounded number of them', (test) => {
    let nowMs = 0;
    test.mock.method(performance, 'now', () => nowMs);
    const again = new MovesAgain();
    for (let n = 0; n < 10_001; n++) again.add(String(n));
    nowMs = MINUTE_MS;
    assert.equal(again.take().length, 10_000);
  });
});
