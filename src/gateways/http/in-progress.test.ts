import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InProgress } from './in-progress.js';

const LONG_MS = 60_000;

describe('InProgress', () => {
  it('waits for all work to end, well or not', async () => {
    const work = new InProgress();
    let end = (): void => undefined;
    let ended = false;
    void work.track(new Promise<void>((resolve) => (end = resolve)));
    const failing = work.track(Promise.reject(new Error('failed')));
    await assert.rejects(failing, /failed/);
    const waiting = work.ended(LONG_MS).then(() => (ended = true));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(ended, false);
    end();
    await waiting;
    await work.ended(LONG_MS);
  });

  it('waits no longer than it is told', async () => {
    const work = new InProgress();
    void work.track(new Promise(() => undefined));
    await work.ended(1);
  });
});
