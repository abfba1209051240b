import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CallTurns } from './call-turns.js';

const { signal } = new AbortController();

describe('CallTurns', () => {
  it('lets so many begin, and the others in order as those end', async () => {
    const turns = new CallTurns(2);
    const [first, second] = [await turns.begin(signal), await turns.begin(signal)];
    const began: string[] = [];
    const third = turns.begin(signal).then((end) => (began.push('third'), end));
    const fourth = turns.begin(signal).then((end) => (began.push('fourth'), end));
    await Promise.resolve();
    assert.deepEqual(began, []);
    first();
    first();
    const end = await third;
    assert.deepEqual(began, ['third']);
    end();
    await fourth;
    second();
    await turns.begin(signal);
  });

  it('forgets who waits no longer', async () => {
    const turns = new CallTurns(1);
    const end = await turns.begin(signal);
    const leaving = new AbortController();
    const waiting = turns.begin(leaving.signal);
    leaving.abort(new Error('enough'));
    await assert.rejects(waiting, /enough/);
    await assert.rejects(turns.begin(leaving.signal), /enough/);
    end();
    await turns.begin(signal);
  });
});
