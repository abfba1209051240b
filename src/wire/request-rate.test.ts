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

  it('counts all addresses of an IPv6 network as one', () => {
    const rate = new RequestRate(2, () => 0);
    assert.equal(rate.allows('2001:db8:1:2::1'), true);
    assert.equal(rate.allows('2001:db8:1:2:3:4:5:6'), true);
    assert.equal(rate.allows('2001:db8:1:2:ffff::'), false);
    assert.equal(rate.allows('2001:db8:1:3::1'), true);
    assert.equal(rate.allows('::ffff:192.0.2.7'), true);
    assert.equal(rate.allows('192.0.2.7'), true);
    assert.equal(rate.allows('::ffff:192.0.2.7'), false);
  });

  it('remembers a bounded number of addresses', () => {
    const rate = new RequestRate(1, () => 0);
    assert.equal(rate.allows('first'), true);
    assert.equal(rate.allows('first'), false);
    for (let each = 0; each < MAX_COUNTED_ADDRESSES; each++) rate.allows(String(each));
    assert.equal(rate.allows('first'), true);
  });
});
