import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DESTRUCTIVE, isDestructive, PASSING } from './fault.js';
import { planRounds, toleranceOf } from './schedule.js';

const PEERS = [1, 2, 3, 4, 5, 6, 7, 8];

describe('the schedule of faults', () => {
  test('follows from the seed', () => {
    const tolerance = toleranceOf(PEERS, 2);
    assert.deepEqual(planRounds(3, { tolerance, amount: 40 }), planRounds(3, { tolerance, amount: 40 }));
    assert.notDeepEqual(planRounds(4, { tolerance, amount: 40 }), planRounds(3, { tolerance, amount: 40 }));
    assert.deepEqual(planRounds(3, { tolerance, amount: 40 }).slice(0, 10), planRounds(3, { tolerance, amount: 10 }));
  });

  test('never asks for more than is tolerated, and reaches it', () => {
    for (const m of [1, 2, 3, 4]) {
      const tolerance = toleranceOf(PEERS, m);
      const rounds = planRounds(m, { tolerance, amount: 300 });
      const destroyed = rounds.map(({ faults }) => faults.filter(({ kind }) => isDestructive(kind)).length);
      for (const { faults } of rounds) {
        assert.ok(faults.length > 0);
        assert.equal(new Set(faults.map(({ peer }) => peer)).size, faults.length, 'one fault for a peer');
      }
      assert.equal(Math.max(...rounds.map(({ faults }) => faults.length)), m);
      assert.equal(Math.max(...destroyed), Math.floor(m / 2));
    }
  });

  test('keeps to the kinds that are asked for', () => {
    const tolerance = toleranceOf(PEERS, 2);
    for (const kinds of [['flip-index'], ['pause'], ['pause', 'lose-disk']] as const) {
      const rounds = planRounds(5, { tolerance, amount: 30, kinds: new Set(kinds) });
      assert.ok(rounds.every(({ faults }) => faults.length > 0));
      const seen = new Set(rounds.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
      assert.deepEqual(seen, new Set(kinds));
    }
  });

  test('has every kind soon', () => {
    const rounds = planRounds(1, { tolerance: toleranceOf(PEERS, 2), amount: 30 });
    const kinds = new Set(rounds.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
    assert.deepEqual(kinds, new Set([...PASSING, ...DESTRUCTIVE]));
  });
});
