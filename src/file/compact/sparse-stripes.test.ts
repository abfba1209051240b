import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStripeId, type StripeId } from '../../chunk/ids.js';
import { inTurn } from './sparse-stripes.js';

const id = (at: number): StripeId => parseStripeId(String(at).repeat(64));
const sparse = [1, 3, 5, 7, 9].map((at) => ({ stripe: id(at), liveBytes: 1, deadBytes: 1 }));

function turn(tried: number | undefined, most: number): StripeId[] {
  return inTurn(sparse, tried === undefined ? undefined : id(tried), most).map(({ stripe }) => stripe);
}

test('whatever cannot be moved, all sparse stripes have their turn', () => {
  assert.deepEqual(turn(undefined, 2), [id(1), id(3)]);
  assert.deepEqual(turn(3, 2), [id(5), id(7)]);
  assert.deepEqual(turn(7, 2), [id(9)]);
  assert.deepEqual(
    turn(undefined, 9),
    sparse.map(({ stripe }) => stripe),
    'all at once',
  );
});

test('it goes on behind a stripe that is not there any more, and begins anew where nothing is behind it', () => {
  assert.deepEqual(turn(4, 2), [id(5), id(7)]);
  assert.deepEqual(turn(9, 2), [id(1), id(3)]);
  assert.deepEqual(inTurn([], id(1), 2), []);
});
