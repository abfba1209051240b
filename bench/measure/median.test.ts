import assert from 'node:assert/strict';
import { it } from 'node:test';
import { median } from './median.js';

it('the median does not depend on the order, nor on how far off an outlier is', () => {
  assert.equal(median([3, 1000, 1]), 3);
  assert.equal(median([10, 9, 100]), 10);
  assert.equal(median([4, 1]), 2.5);
  assert.throws(() => median([]), /bug/);
});
