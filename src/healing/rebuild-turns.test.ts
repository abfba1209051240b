import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { MAX_REBUILDS, MAX_REBUILDS_PER_CALLER, MAX_REBUILDS_PER_MINUTE } from '../limits.js';
import { PULL_BOUNDS, RebuildTurns } from './rebuild-turns.js';

const callers = Array.from({ length: 4 }, (_, i) => parsePeerId(new Uint8Array(32).fill(i + 1)));
const [ONE, OTHER] = callers as [PeerId, PeerId];

describe('RebuildTurns', () => {
  it('refuses who asks for too many at once, and nobody else for it', async () => {
    const turns = new RebuildTurns();
    const gate = gateOf();
    const running = Array.from({ length: MAX_REBUILDS_PER_CALLER }, () => turns.take(ONE, () => gate.promise));
    await assert.rejects(
      turns.take(ONE, () => gate.promise),
      { code: 'LIMIT_EXCEEDED' },
    );
    assert.equal(await turns.take(OTHER, () => Promise.resolve(7)), 7);
    gate.resolve(undefined);
    await Promise.all(running);
    assert.equal(await turns.take(ONE, () => Promise.resolve(8)), 8);
  });

  it('refuses everybody while too many run together', async () => {
    const turns = new RebuildTurns();
    const gate = gateOf();
    const running = Array.from({ length: MAX_REBUILDS }, (_, i) =>
      turns.take(callers[i % callers.length] ?? ONE, () => gate.promise),
    );
    await assert.rejects(
      turns.take(OTHER, () => gate.promise),
      { code: 'LIMIT_EXCEEDED' },
    );
    gate.resolve(undefined);
    await Promise.all(running);
  });

  it('refuses a flood, however short each is, until the minute is over; a failed one counts, too', async () => {
    let nowMs = 0;
    const turns = new RebuildTurns(() => nowMs);
    for (let i = 0; i < MAX_REBUILDS_PER_MINUTE; i++) {
      const failing = turns.take(ONE, () => Promise.reject(new Error('no')));
      await assert.rejects(failing, { message: 'no' });
    }
    await assert.rejects(
      turns.take(ONE, () => Promise.resolve()),
      { code: 'LIMIT_EXCEEDED' },
    );
    await turns.take(OTHER, () => Promise.resolve());
    nowMs = 60_000;
    await turns.take(ONE, () => Promise.resolve());
  });

  it('refuses nobody for long because the clock was set back', async () => {
    let nowMs = 3_600_000;
    const turns = new RebuildTurns(() => nowMs);
    for (let i = 0; i < MAX_REBUILDS_PER_MINUTE; i++) await turns.take(ONE, () => Promise.resolve());
    nowMs = 0;
    await turns.take(ONE, () => Promise.resolve());
  });

  it('bounds copies likewise, with more of them', async () => {
    const turns = new RebuildTurns(() => 0, PULL_BOUNDS);
    const gate = gateOf();
    const running = Array.from({ length: PULL_BOUNDS.perCaller }, () => turns.take(ONE, () => gate.promise));
    await assert.rejects(
      turns.take(ONE, () => Promise.resolve()),
      { code: 'LIMIT_EXCEEDED' },
    );
    await turns.take(OTHER, () => Promise.resolve());
    gate.resolve(undefined);
    await Promise.all(running);
    for (let i = running.length; i < PULL_BOUNDS.perMinute; i++) await turns.take(ONE, () => Promise.resolve());
    await assert.rejects(
      turns.take(ONE, () => Promise.resolve()),
      { code: 'LIMIT_EXCEEDED' },
    );
  });
});

interface Gate {
  readonly promise: Promise<undefined>;
  resolve(value: undefined): void;
}

function gateOf(): Gate {
  let resolve: Gate['resolve'] = () => undefined;
  const promise = new Promise<undefined>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
