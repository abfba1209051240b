import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { StorageError } from './errors.js';
import { timeLimit } from './time-limit.js';

/** Without this, and with Node's own signals, the first test waits for ever. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

const LATER_MS = 1_000_000;

describe('timeLimit', () => {
  it('ends in time, whatever is collected meanwhile', async () => {
    const life = new AbortController();
    using limit = timeLimit(20, life.signal);
    const ended = once(limit.signal, 'abort');
    collectGarbage();
    await ended;
    assert.ok(limit.isOver);
    assert.ok(StorageError.is(limit.signal.reason, 'TIMEOUT'));
  });

  it('ends with the other signal, for its reason', () => {
    const life = new AbortController();
    using limit = timeLimit(LATER_MS, life.signal);
    life.abort('enough');
    assert.equal(limit.signal.reason, 'enough');
    assert.ok(!limit.isOver);
  });

  it('has ended when the other signal has', () => {
    using limit = timeLimit(LATER_MS, AbortSignal.abort('before'));
    assert.equal(limit.signal.reason, 'before');
  });

  it('listens no more, and keeps no process alive, once it is disposed of', () => {
    const life = new AbortController();
    const limit = timeLimit(LATER_MS, life.signal);
    limit[Symbol.dispose]();
    life.abort();
    assert.ok(!limit.signal.aborted);
  });
});
