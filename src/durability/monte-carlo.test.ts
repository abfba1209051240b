import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { stripeDurability } from './markov.js';
import { playOut, type World } from './monte-carlo.js';

const TRIALS = 3000;
/** Standard deviations: one property of some hundred that fails by chance in a million runs. */
const SIGMAS = 6;

function assertAgree(lost: number, p: number, trials: number): void {
  const sigma = Math.sqrt(trials * p * (1 - p));
  assert.ok(
    Math.abs(lost - trials * p) <= SIGMAS * sigma + 1,
    `${String(lost)} of ${String(trials)} were lost, and ${(trials * p).toFixed(1)} ± ${sigma.toFixed(1)} should be`,
  );
}

describe('a network played out', () => {
  it('loses what the chain says, for any scheme, zones, rates and seed', () => {
    const worlds = fc.record({
      k: fc.integer({ min: 1, max: 5 }),
      m: fc.integer({ min: 1, max: 3 }),
      zones: fc.integer({ min: 1, max: 4 }),
      peerLossRate: fc.double({ min: 0.1, max: 2, noNaN: true }),
      zoneLossRate: fc.constantFrom(0, 0.05, 0.2),
      repairTime: fc.double({ min: 0.02, max: 0.5, noNaN: true }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(worlds, ({ k, m, seed, ...rest }) => {
        const zones = Math.min(rest.zones, k + m);
        const world: World = { ...rest, zones, scheme: { k, m }, peers: k + m, stripes: 1 };
        const p = stripeDurability(world).lossProbability(3);
        const { lost } = playOut(world, { trials: TRIALS, years: 3, seed });
        assertAgree(lost, p, TRIALS);
      }),
      { numRuns: 40, endOnFailure: true },
    );
  });

  it('loses a stripe of a larger network as often as the chain says, and some stripe more often', () => {
    const scheme = { k: 2, m: 1 };
    const world: World = {
      scheme,
      zones: 1,
      peerLossRate: 0.5,
      zoneLossRate: 0,
      repairTime: 0.05,
      peers: 12,
      stripes: 40,
    };
    const p = stripeDurability(world).lossProbability(3);
    const { lost, stripesLost } = playOut(world, { trials: TRIALS, years: 3, seed: 7 });
    // Stripes of one network share peers, so their fates are not independent: a wider margin.
    assert.ok(Math.abs(stripesLost / p - 1) < 0.15, `${String(stripesLost)} against ${String(p)}`);
    assert.ok(lost / TRIALS > p && lost / TRIALS <= 40 * p);
  });

  it('is the same for the same seed', () => {
    const world: World = {
      scheme: { k: 2, m: 1 },
      zones: 2,
      peerLossRate: 1,
      zoneLossRate: 0.1,
      repairTime: 0.1,
      peers: 6,
      stripes: 5,
    };
    const play = (seed: number) => playOut(world, { trials: 50, years: 2, seed });
    assert.deepEqual(play(5), play(5));
    assert.notDeepEqual(play(5), play(6));
  });

  it('stops when it is told to', () => {
    const world: World = {
      scheme: { k: 2, m: 1 },
      zones: 1,
      peerLossRate: 1,
      zoneLossRate: 0,
      repairTime: 0.1,
      peers: 3,
      stripes: 1,
    };
    const signal = AbortSignal.abort(new Error('enough'));
    assert.throws(() => playOut(world, { trials: 5, years: 1, seed: 1, signal }), /enough/);
  });
});
