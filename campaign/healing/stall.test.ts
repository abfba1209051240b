import assert from 'node:assert/strict';
import { describe, mock, test } from 'node:test';
import { Stall } from './stall.js';

const { signal } = new AbortController();

/** A clock that both `performance` and timers follow. */
function stage(): { readonly meter: { mended: number }; readonly pass: (ms: number) => void } {
  let nowMs = 0;
  mock.timers.enable({ apis: ['setInterval'] });
  mock.method(performance, 'now', () => nowMs);
  const pass = (ms: number): void => {
    for (const untilMs = nowMs + ms; nowMs < untilMs;) {
      nowMs += 500;
      mock.timers.tick(500);
    }
  };
  return { meter: { mended: 0 }, pass };
}

describe('healing', () => {
  test('is stalled when nothing more is mended, however long it took so far', (context) => {
    context.after(() => {
      mock.reset();
      mock.timers.reset();
    });
    const { meter, pass } = stage();
    using stall = new Stall(meter, { withinMs: 10_000, mostMs: 100_000, signal });
    for (let round = 0; round < 5; round++) {
      pass(9_000);
      meter.mended++;
    }
    assert.equal(stall.isOver, false);
    pass(11_000);
    assert.match(String(stall.signal.reason), /Nothing more was mended within 10 s/);
  });

  test('ends also when it goes on and on', (context) => {
    context.after(() => {
      mock.reset();
      mock.timers.reset();
    });
    const { meter, pass } = stage();
    using stall = new Stall(meter, { withinMs: 10_000, mostMs: 30_000, signal });
    for (let round = 0; round < 31; round++) {
      pass(1_000);
      meter.mended++;
    }
    assert.match(String(stall.signal.reason), /Not all was mended within 30 s/);
  });
});
