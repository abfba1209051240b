import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { abortable } from './abortable.js';

const { signal } = new AbortController();

async function* numbers(closed: () => void, hangAt = Infinity): AsyncGenerator<number> {
  try {
    for (let number = 0; number < 4; number++) {
      if (number === hangAt) await new Promise(() => undefined);
      yield number;
    }
  } finally {
    closed();
  }
}

describe('abortable', () => {
  it('yields what the source yields', async () => {
    let closes = 0;
    const seen: number[] = [];
    for await (const number of abortable(
      numbers(() => closes++),
      signal,
    ))
      seen.push(number);
    assert.deepEqual(seen, [0, 1, 2, 3]);
    assert.equal(closes, 1);
  });

  it('closes the source when it is left early', async () => {
    let closes = 0;
    for await (const number of abortable(
      numbers(() => closes++),
      signal,
    ))
      if (number === 1) break;
    assert.equal(closes, 1);
  });

  it('an abort ends a step that hangs, and one between steps', async () => {
    const reason = new Error('enough');
    for (const hangAt of [2, Infinity]) {
      const controller = new AbortController();
      await assert.rejects(async () => {
        const source = numbers(() => undefined, hangAt);
        for await (const number of abortable(source, controller.signal)) {
          if (number !== 1) continue;
          if (hangAt === 2) setImmediate(() => controller.abort(reason));
          else controller.abort(reason);
        }
      }, reason);
    }
  });

  it("passes the source's error on", async () => {
    const failing = (async function* () {
      yield 1;
      throw new Error('broken');
    })();
    await assert.rejects(async () => {
      for await (const number of abortable(failing, signal)) assert.equal(number, 1);
    }, /broken/);
  });
});
