import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_CHECKPOINT_SESSIONS, MAX_MISSING_DATABASE_WAIT_MS, MAX_REPLICATION_WAIT_MS } from '../../limits.js';
import { commonSequence, parseCheckpoint } from './checkpoints.js';
import { waitAfter } from './stream.js';
import { Turns } from './turns.js';

const entry = (session: string, count: number, last: string): { session: string; count: number; last: string } => ({
  session,
  count,
  last,
});
const at = (...history: ReturnType<typeof entry>[]): { history: typeof history } => ({ history });

describe('where a replication goes on', () => {
  it('where both sides say that it was', () => {
    assert.equal(commonSequence(at(entry('b', 2, '9')), at(entry('b', 2, '9'))), '9');
  });

  it('at the beginning, when one side knows nothing of it', () => {
    assert.equal(commonSequence(undefined, at(entry('b', 2, '9'))), '0');
    assert.equal(commonSequence(at(entry('b', 2, '9')), undefined), '0');
    assert.equal(commonSequence(at(entry('b', 2, '9')), at(entry('c', 2, '9'))), '0');
  });

  it('at the earlier place, when one side did not hear of the last one', () => {
    assert.equal(commonSequence(at(entry('b', 3, '30')), at(entry('b', 2, '20'))), '20');
    assert.equal(commonSequence(at(entry('b', 2, '20')), at(entry('b', 3, '30'))), '20');
  });

  it('at the last session that both know, when one side was restored from a copy', () => {
    const restored = at(entry('a', 5, '10'));
    assert.equal(commonSequence(at(entry('b', 3, '30'), entry('a', 5, '10')), restored), '10');
  });

  it('and reads what anybody may have written', () => {
    assert.equal(parseCheckpoint({ history: 'x' }), undefined);
    const long = Array.from({ length: 100 }, (_, index) => entry(String(index), 1, '1'));
    assert.equal(parseCheckpoint({ history: long })?.history.length, MAX_CHECKPOINT_SESSIONS);
    const wrong = [
      null,
      7,
      { session: 1 },
      entry('a', 1.5, '1'),
      entry('a', 1, 'x'.repeat(100_000)),
      entry('b', 1, '2'),
    ];
    assert.deepEqual(parseCheckpoint({ history: wrong }), at(entry('b', 1, '2')));
  });
});

describe('the wait after a failure', () => {
  it('doubles up to a bound, and is spread', () => {
    assert.deepEqual(
      [1, 2, 3, 4].map((failures) => waitAfter(failures, 'UNAVAILABLE', 1)),
      [1000, 2000, 4000, 8000],
    );
    assert.equal(waitAfter(1_000_000, 'UNAVAILABLE', 1), MAX_REPLICATION_WAIT_MS);
    assert.equal(waitAfter(1_000_000, 'UNAVAILABLE', 0), MAX_REPLICATION_WAIT_MS / 2);
    assert.equal(waitAfter(1_000_000, 'NOT_FOUND', 1), MAX_MISSING_DATABASE_WAIT_MS);
  });
});

describe('turns', () => {
  it('lets as many work at once as it was told, in order, after failures too', async () => {
    const turns = new Turns(2);
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const work = (index: number): Promise<void> =>
      turns.take(async () => {
        order.push(index);
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        if (index % 2 === 0) throw new Error('failed');
      });
    const results = await Promise.allSettled(Array.from({ length: 6 }, (_, index) => work(index)));
    assert.equal(results.filter(({ status }) => status === 'rejected').length, 3);
    assert.equal(most, 2);
    assert.deepEqual(order, [0, 1, 2, 3, 4, 5]);
  });
});
