import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MAX_COUNTED_ADDRESSES } from '../limits.js';
import { RequestRate } from './request-rate.js';

describe('RequestRate', () => {
  it('bounds each address by itself, for a minute', () => {
    let nowMs = 1_000;
    const rate = new RequestRate(2, () => nowMs);
    assert.deepEqual(
      ['a', 'a', 'a', 'b'].map((address) => rate.allows(address)),
      [true, true, false, true],
    );
    nowMs += 60_000;
    assert.equal(rate.allows('a'), true);
  });

  it('remembers a bounded number of addresses', () => {
    const rate = new RequestRate(1, () => 0);
    assert.equal(rate.allows('first'), true);
    assert.equal(rate.allows('first'), false);
    for (let each = 0; each < MAX_COUNTED_ADDRESSES; each++) rate.allows(String(each));
    assert.equal(rate.allows('first'), true);
  });
});
