import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { idle } from './idle.js';

const options = { timeoutMs: 5_000, signal: new AbortController().signal };

describe('idle', () => {
  it('waits while the CPU is used, and then for what is asked', async () => {
    const used = [0, 1, 1, 2, 2, 2];
    let asked = 0;
    const isIdle = await idle(
      () => used.shift() ?? 2,
      options,
      () => Promise.resolve(++asked === 2),
    );
    assert.ok(isIdle);
    assert.deepEqual([used.length, asked], [0, 2]);
  });

  it('waits for as long as it is told to', async () => {
    const used = [0, 0, 0, 1, 1, 1, 1, 1, 1];
    assert.ok(await idle(() => used.shift() ?? 1, { ...options, quietMs: 500 }));
    assert.equal(used.length, 1, 'the second look found work');
  });

  it('gives up', async () => {
    let seconds = 0;
    assert.equal(await idle(() => seconds++, { ...options, timeoutMs: 1 }), false);
  });

  it('ends with the signal', async () => {
    await assert.rejects(
      idle(() => 0, { ...options, signal: AbortSignal.abort() }),
      { name: 'AbortError' },
    );
  });
});
