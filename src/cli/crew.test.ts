import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runCrew } from './crew.js';

it('works on so many at once, and on all', async () => {
  let now = 0;
  let most = 0;
  const done: number[] = [];
  await runCrew(3, [0, 1, 2, 3, 4, 5, 6, 7], async (item) => {
    most = Math.max(most, (now += 1));
    await nextTurn();
    now -= 1;
    done.push(item);
  });
  assert.equal(most, 3);
  assert.deepEqual(done, [0, 1, 2, 3, 4, 5, 6, 7]);
});

it('begins nothing after a failure, and ends what was begun', async () => {
  const begun: number[] = [];
  let ended = 0;
  const crew = runCrew(2, [0, 1, 2, 3, 4], async (item) => {
    begun.push(item);
    if (item === 0) throw new Error('first');
    await nextTurn();
    ended += 1;
  });
  await assert.rejects(crew, /first/);
  assert.deepEqual([begun, ended], [[0, 1], 1]);
});
