import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageError } from '../../errors.js';
import { MAX_ROTTEN_SEGMENTS } from '../../limits.js';
import { Standings } from './standings.js';

describe('Standings', () => {
  it('lets a holder with a little damage go on, and drops one with more', () => {
    const standings = new Standings(2);
    const wrong = new StorageError('CORRUPT', 'its segments do not match their hashes.');
    for (let row = 0; row < MAX_ROTTEN_SEGMENTS; row++) {
      assert.equal(standings.foundWrong(1, row, wrong), false);
      assert.ok(standings.isWrong(1, row));
    }
    assert.ok(standings.mayBeAsked(1) && !standings.hasFailed(1));
    assert.deepEqual(standings.failures(), [{ chunk: 1, why: 'a part of its chunk is damaged.' }]);
    assert.equal(standings.foundWrong(1, MAX_ROTTEN_SEGMENTS, wrong), true);
    assert.ok(!standings.mayBeAsked(1));
    assert.ok(standings.mayBeAsked(0));
    standings.stop();
    assert.ok(!standings.mayBeAsked(1), 'for the whole stripe');
    assert.deepEqual(standings.failures(), [{ chunk: 1, why: wrong.message }]);
  });
});
