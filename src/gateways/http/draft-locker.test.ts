import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { DraftLocker } from './draft-locker.js';

const NEVER = new AbortController().signal;
const nothing = (): void => undefined;

describe('DraftLocker', () => {
  it('gives an upload to one request, and asks it to end when another comes', async () => {
    const locker = new DraftLocker();
    const [first, second, other] = [locker.newLock('a'), locker.newLock('a'), locker.newLock('b')];
    let isAsked = false;
    await first.lock(NEVER, () => {
      isAsked = true;
    });
    await other.lock(NEVER, nothing);
    let isTaken = false;
    const taking = second.lock(NEVER, nothing).then(() => {
      isTaken = true;
    });
    await nextTurn();
    assert.deepEqual([isAsked, isTaken], [true, false]);
    await first.unlock();
    await taking;
    const third = locker.newLock('a').lock(NEVER, nothing);
    await second.unlock();
    await third;
  });

  it('does not wait for ever for one that does not end', async () => {
    const locker = new DraftLocker();
    await locker.newLock('a').lock(NEVER, nothing);
    const gone = new AbortController();
    const waiting = locker.newLock('a').lock(gone.signal, nothing);
    gone.abort(new Error('the client left'));
    await assert.rejects(waiting, { code: 'CONFLICT' });
  });
});
