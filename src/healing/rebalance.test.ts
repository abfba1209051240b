import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import type { Placement, StripeRecord } from '../catalog/catalog.js';
import { parsePeerId, parseStripeId, type PeerId } from '../chunk/ids.js';
import { HOLDER_FAVOUR } from '../limits.js';
import { type Candidate, place } from '../peers/placement.js';
import { displacedChunk } from './rebalance.js';

type Stripe = Pick<StripeRecord, 'id'> & { placement: Placement[] };

const CHUNKS = 6;
const STRIPES = 400;
const digest = (text: string): Uint8Array => createHash('sha256').update(text).digest();

function candidate(n: number, zones: number, weight = 1000): Candidate {
  return { id: parsePeerId(digest(`peer ${String(n)}`)), zone: `zone-${String(n % zones)}`, weight };
}

function stored(candidates: readonly Candidate[]): Stripe[] {
  return Array.from({ length: STRIPES }, (_, n) => {
    const id = parseStripeId(digest(`stripe ${String(n)}`));
    return {
      id,
      placement: place(id, candidates)
        .slice(0, CHUNKS)
        .map((peer) => ({ peer })),
    };
  });
}

/** Moves until nothing wants to. @returns to whom each chunk went */
function rebalance(stripes: readonly Stripe[], candidates: readonly Candidate[]): PeerId[] {
  const moves: PeerId[] = [];
  for (const stripe of stripes) {
    for (;;) {
      const displaced = displacedChunk(stripe, candidates);
      if (displaced === undefined) break;
      assert.equal(stripe.placement[displaced.index]?.peer, displaced.from);
      stripe.placement[displaced.index] = { peer: displaced.to };
      moves.push(displaced.to);
      assert.ok(moves.length <= STRIPES * CHUNKS, 'it comes to an end');
    }
    assert.equal(new Set(stripe.placement.map(({ peer }) => peer)).size, CHUNKS, 'one chunk for each peer');
  }
  return moves;
}

/** The most chunks of the stripe in one zone. */
function crowd({ placement }: Stripe, candidates: readonly Candidate[]): number {
  const counts = new Map<string, number>();
  for (const { peer } of placement) {
    const zone = candidates.find(({ id }) => id === peer)?.zone ?? '';
    counts.set(zone, (counts.get(zone) ?? 0) + 1);
  }
  return Math.max(...counts.values());
}

describe('rebalancing', () => {
  for (const zones of [1, 5]) {
    const before = Array.from({ length: 20 }, (_, n) => candidate(n, zones));
    const joined = candidate(20, zones);

    it(`gives a new peer its share and nobody else anything, in ${String(zones)} zones`, () => {
      const stripes = stored(before);
      assert.deepEqual(rebalance(stripes, before), [], 'what was just stored lies well');
      const crowds = stripes.map((stripe) => crowd(stripe, before));
      const after = [...before, joined];
      const moves = rebalance(stripes, after);
      assert.ok(moves.every((to) => to === joined.id));
      const share = moves.length / (STRIPES * CHUNKS);
      assert.ok(share > 0.5 / 21 && share < 1.5 / 21, `${String(moves.length)} chunks moved`);
      for (const [at, stripe] of stripes.entries()) assert.ok(crowd(stripe, after) <= (crowds[at] ?? 0));
      assert.deepEqual(rebalance(stripes, after), [], 'once');
    });

    it(`moves nothing for a little more room, and nothing back, in ${String(zones)} zones`, () => {
      const stripes = stored(before);
      const roomier = before.map((each, n) =>
        n === 3 ? { ...each, weight: each.weight * (HOLDER_FAVOUR - 0.01) } : each,
      );
      assert.deepEqual(rebalance(stripes, roomier), []);
      const twice = before.map((each, n) => (n === 3 ? { ...each, weight: each.weight * 2 } : each));
      const moves = rebalance(stripes, twice);
      assert.ok(moves.length > 0 && moves.every((to) => to === before[3]?.id));
      assert.deepEqual(
        rebalance(
          stripes,
          roomier.map((each, n) => (n === 3 ? { ...each, weight: 1900 } : each)),
        ),
        [],
      );
    });
  }

  it('leaves a stripe alone that every peer has a chunk of, or that lacks one', () => {
    const all = Array.from({ length: CHUNKS }, (_, n) => candidate(n, 1));
    const [stripe] = stored(all);
    assert.ok(stripe !== undefined);
    assert.equal(displacedChunk(stripe, all), undefined);
    const more = Array.from({ length: 30 }, (_, n) => candidate(n, 1));
    const lacking = { ...stripe, placement: [undefined, ...stripe.placement.slice(1)] };
    assert.equal(displacedChunk(lacking, more), undefined);
  });
});
