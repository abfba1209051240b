import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UserId } from '../../chunk/ids.js';
import { COMPACT_INTERVAL_MS, COMPACT_RETRY_MS, CompactionBook } from './compaction-book.js';

const [ONE, TWO] = ['1', '2'] as UserId[] as [UserId, UserId];

describe('CompactionBook', () => {
  it('is due some time after it is first asked, and again when that was said, for each user', () => {
    let nowMs = 1_000_000;
    const book = new CompactionBook(() => nowMs);
    assert.equal(book.isDue(ONE), false);
    nowMs += COMPACT_RETRY_MS - 1;
    assert.equal(book.isDue(ONE), false);
    nowMs++;
    assert.equal(book.isDue(ONE), true);
    assert.equal(book.isDue(TWO), false, 'it was not asked of this one before');
    book.again(ONE, COMPACT_INTERVAL_MS);
    assert.equal(book.isDue(ONE), false);
    nowMs += COMPACT_INTERVAL_MS;
    assert.equal(book.isDue(ONE), true);
    book.again(ONE, COMPACT_INTERVAL_MS);
    nowMs -= 1;
    assert.equal(book.isDue(ONE), true, 'a clock that was put back');
  });

  it('keeps what the last look of each user found', () => {
    const book = new CompactionBook(() => 5);
    assert.deepEqual(book.summaries(), []);
    const found = { stripes: 1, liveBytes: 2, deadBytes: 3 };
    book.noteFound(ONE, { ...found, stripes: 7 });
    book.noteFound(ONE, found);
    book.noteWaiting(TWO, 4);
    assert.deepEqual(book.summaries(), [
      { found: { lookedMs: 5, ...found }, waiting: 0 },
      { found: undefined, waiting: 4 },
    ]);
  });

  it('has one thing done at a time, also after one that failed', async () => {
    const book = new CompactionBook(Date.now);
    const failing = book.alone(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('no');
    });
    assert.equal(
      book.alone(async () => 2),
      undefined,
    );
    await assert.rejects(failing ?? Promise.resolve(), /no/);
    assert.equal(await book.alone(async () => 3), 3);
  });
});
