import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { PeerId, StripeId } from '../chunk/ids.js';
import { place, type Candidate } from './placement.js';

const hex = (text: string): string => createHash('sha256').update(text).digest('hex');
const stripe = (n: number): StripeId => hex(`stripe ${String(n)}`) as StripeId;
const peer = (n: number, zone = 'a', weight = 1): Candidate => ({
  id: hex(`peer ${String(n)}`) as PeerId,
  zone,
  weight,
});

describe('place', () => {
  it('uses every peer once, whatever the order they are listed in', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (peers, zones, seed) => {
        const candidates = Array.from({ length: peers }, (_, n) => peer(n, String(n % zones)));
        const order = place(stripe(seed), candidates);
        assert.equal(new Set(order).size, peers);
        assert.deepEqual(place(stripe(seed), candidates.toReversed()), order);
      }),
    );
  });

  it('spreads the first places over the zones as evenly as they allow', () => {
    const candidates = [0, 1, 2, 3, 4, 5, 6, 7].map((n) => peer(n, n < 5 ? 'big' : n < 7 ? 'middle' : 'small'));
    const zone = new Map(candidates.map(({ id, zone }) => [id, zone]));
    for (let n = 0; n < 50; n++) {
      const first = place(stripe(n), candidates)
        .slice(0, 6)
        .map((id) => zone.get(id));
      assert.equal(first.filter((name) => name === 'small').length, 1);
      assert.equal(first.filter((name) => name === 'middle').length, 2);
    }
  });

  it('gives shares in proportion to weight, and none to weight 0', () => {
    const candidates = [peer(0, 'a', 1), peer(1, 'a', 3), peer(2, 'a', 0)];
    const stripes = 4000;
    let heavy = 0;
    for (let n = 0; n < stripes; n++) {
      const order = place(stripe(n), candidates);
      assert.equal(order.length, 2);
      if (order[0] === candidates[1]?.id) heavy++;
    }
    assert.ok(
      Math.abs(heavy / stripes - 0.75) < 0.03,
      `the heavier peer came first in ${String(heavy)} of ${String(stripes)}`,
    );
  });

  it('moves nothing between the others when a peer leaves', () => {
    const candidates = [0, 1, 2, 3, 4, 5].map((n) => peer(n));
    for (let n = 0; n < 100; n++) {
      const before = place(stripe(n), candidates);
      const gone = before[2];
      const after = place(
        stripe(n),
        candidates.filter(({ id }) => id !== gone),
      );
      assert.deepEqual(
        after,
        before.filter((id) => id !== gone),
      );
    }
  });
});
