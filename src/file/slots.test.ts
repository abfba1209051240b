import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { Slots } from './slots.js';
import { Turns } from './turns.js';

const NEVER = new AbortController().signal;

function slotsOf(count: number): Slots {
  const turns = new Turns({ each: count, together: count });
  return new Slots(() => turns.take('put', turns, NEVER));
}

/** Work that ends when it is told to. */
function job(log: string[], name: string): { readonly run: () => Promise<void>; end(): void } {
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const run = async (): Promise<void> => {
    log.push(`start ${name}`);
    await ended;
    log.push(`end ${name}`);
  };
  return {
    run,
    end: () => {
      end();
    },
  };
}

describe('Slots', () => {
  it('starts no more than there are slots, and the next when one is free', async () => {
    const log: string[] = [];
    const slots = slotsOf(2);
    const [a, b, c] = [job(log, 'a'), job(log, 'b'), job(log, 'c')];
    await slots.run(a.run);
    await slots.run(b.run);
    const third = slots.run(c.run);
    await turn();
    assert.deepEqual(log, ['start a', 'start b']);
    b.end();
    await third;
    assert.deepEqual(log, ['start a', 'start b', 'end b', 'start c']);
    a.end();
    c.end();
    await slots.idle();
    assert.equal(log.length, 6);
  });

  it('is idle only when all of it has ended', async () => {
    const log: string[] = [];
    const slots = slotsOf(2);
    const a = job(log, 'a');
    await slots.idle();
    await slots.run(a.run);
    let idle = false;
    const waiting = slots.idle().then(() => (idle = true));
    await turn();
    assert.ok(!idle);
    a.end();
    await waiting;
    assert.deepEqual(log, ['start a', 'end a']);
  });
});
