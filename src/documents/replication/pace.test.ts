import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  MAX_FRUITLESS_PAUSE_MS,
  MIN_REPLICATION_WAIT_MS,
  PAGES_PER_CHECKPOINT,
  REPLICATION_FEED_WAIT_MS,
  REPLICATION_PAGE,
} from '../../limits.js';
import type { FeedPage } from './endpoint.js';
import { MAX_GATHER_MS, Pace, QUIET_MS } from './pace.js';

interface Came {
  readonly gain: number;
  readonly earlyMs: number;
  readonly nowMs: number;
}

function page(changes: number): Pick<FeedPage, 'changes'> {
  return { changes: Array.from({ length: changes }, (_, n) => ({ id: String(n), revs: [] })) };
}

describe('the place of a replication', () => {
  it('is written down at once after some quiet, then after some pages, and when nothing comes any more', () => {
    const pace = new Pace();
    let nowMs = 0;
    const isDue = (changes: number, sinceMs: number, hasMoved = changes > 0): boolean => {
      pace.copied(page(changes), { gain: changes, hasMoved, nowMs: (nowMs += sinceMs) });
      const { isDue: due } = pace;
      if (due) pace.saved();
      return due;
    };
    assert.equal(isDue(0, 0), false, 'it is where it was');
    assert.equal(pace.waitMs, REPLICATION_FEED_WAIT_MS);
    assert.equal(isDue(REPLICATION_PAGE, 0), true);
    for (let n = 1; n < PAGES_PER_CHECKPOINT; n++) {
      assert.equal(isDue(n, MAX_GATHER_MS), false);
      assert.deepEqual([pace.isSaved, pace.waitMs], [false, QUIET_MS]);
    }
    assert.equal(isDue(1, MAX_GATHER_MS), true);
    assert.deepEqual([pace.isSaved, isDue(0, QUIET_MS)], [true, false]);
    assert.equal(isDue(1, QUIET_MS), true, 'there was quiet');
    assert.equal(isDue(1, 1), false);
    assert.equal(isDue(0, QUIET_MS), true);
    assert.equal(isDue(0, QUIET_MS, true), true, 'it moved over what is not to be copied');
  });
});

function pauseAfter(
  pace: Pace,
  changes: number,
  { gain = changes, earlyMs = 0, nowMs = 0 }: Partial<Came> = {},
): number {
  pace.copied(page(changes), { gain, hasMoved: changes > 0, nowMs });
  return pace.pauseMs(earlyMs);
}

describe('the pace of a replication', () => {
  it('is quick with one change, gathers many, and is quick again after a while', () => {
    const pace = new Pace();
    let nowMs = 0;
    const next = (sinceMs: number): number => pauseAfter(pace, 1, { nowMs: (nowMs += sinceMs) });
    const first = next(0);
    assert.ok(first <= MAX_GATHER_MS / 5);
    const pauses = Array.from({ length: 100 }, () => next(MAX_GATHER_MS));
    assert.deepEqual(
      pauses.toSorted((a, b) => a - b),
      pauses,
    );
    assert.equal(pauses.at(-1), MAX_GATHER_MS);
    assert.equal(next(QUIET_MS + 1), first);
  });

  it('does not rest while there is much to copy', () => {
    assert.equal(pauseAfter(new Pace(), REPLICATION_PAGE), 0);
  });

  it('gets slower where nothing is taken, and where a host does not wait', () => {
    const pace = new Pace();
    const pauses = Array.from({ length: 1_000 }, () => pauseAfter(pace, REPLICATION_PAGE, { gain: 0 }));
    assert.deepEqual([pauses[0], pauses.at(-1)], [0, MAX_FRUITLESS_PAUSE_MS]);
    assert.equal(pauseAfter(pace, REPLICATION_PAGE, { gain: 1 }), 0);
    assert.equal(pauseAfter(pace, 0, { earlyMs: REPLICATION_FEED_WAIT_MS }), MIN_REPLICATION_WAIT_MS);
  });
});
