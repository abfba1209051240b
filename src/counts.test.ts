import assert from 'node:assert/strict';
import { it } from 'node:test';
import { BOUNDS_SECONDS, countUnder, Tallies } from './counts.js';

it('a tally knows how many calls there are, how they ended and how long they took', () => {
  const tallies = new Tallies();
  const tally = tallies.of('GET /');
  for (const [seconds, failed] of [
    [0.001, false],
    [0.005, true],
    [3, false],
    [1000, false],
  ] as const) {
    tally.begin();
    tally.end(seconds, failed);
  }
  tally.begin();
  assert.equal(tallies.of('GET /'), tally);
  assert.deepEqual([tally.active, tally.failed], [1, 1]);
  assert.ok(Math.abs(tally.seconds - 1003.006) < 1e-9);
  assert.equal(tally.classes.length, BOUNDS_SECONDS.length + 1);
  assert.deepEqual(tally.classes, [2, 0, 0, 0, 0, 1, 0, 1]);
});

it('what is counted under a name begins at one', () => {
  const counts = new Map<string, number>();
  for (const name of ['a', 'b', 'a']) countUnder(counts, name);
  assert.deepEqual(
    [...counts],
    [
      ['a', 2],
      ['b', 1],
    ],
  );
});
