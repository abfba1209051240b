import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { DESTRUCTIVE, isDestructive, PASSING } from './fault.js';
import { planRounds, toleranceOf } from './schedule.js';

const PEERS = [1, 2, 3, 4, 5, 6, 7, 8];

describe('the schedule of faults', () => {
  test('follows from the seed', () => {
    const tolerance = toleranceOf(PEERS, 2);
    assert.deepEqual(planRounds(3, tolerance, 40), planRounds(3, tolerance, 40));
    assert.notDeepEqual(planRounds(4, tolerance, 40), planRounds(3, tolerance, 40));
    assert.deepEqual(planRounds(3, tolerance, 40).slice(0, 10), planRounds(3, tolerance, 10));
  });

  test('never asks for more than is tolerated, and reaches it', () => {
    for (const m of [1, 2, 3, 4]) {
      const tolerance = toleranceOf(PEERS, m);
      const rounds = planRounds(m, tolerance, 300);
      const destroyed = rounds.map(({ faults }) => faults.filter(({ kind }) => isDestructive(kind)).length);
      for (const { faults } of rounds) {
        assert.ok(faults.length > 0);
        assert.equal(new Set(faults.map(({ peer }) => peer)).size, faults.length, 'one fault for a peer');
      }
      assert.equal(Math.max(...rounds.map(({ faults }) => faults.length)), m);
      assert.equal(Math.max(...destroyed), Math.floor(m / 2));
    }
  });

  test('has every kind soon', () => {
    const rounds = planRounds(1, toleranceOf(PEERS, 2), 30);
    const kinds = new Set(rounds.flatMap(({ faults }) => faults.map(({ kind }) => kind)));
    assert.deepEqual(kinds, new Set([...PASSING, ...DESTRUCTIVE]));
  });
});
