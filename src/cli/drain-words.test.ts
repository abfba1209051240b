import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { DrainReply } from '../gateways/http/network-api.js';
import { drainLeft, drainSummary } from './drain-words.js';

const left = {
  ...{ peer: { name: 'attic' }, phase: 'left', forced: true, left: { chunks: 1, bytes: 2_000 }, totalBytes: 2_000 },
  ...{ secondsLeft: null, staying: { chunks: 0, bytes: 0 }, reason: null },
} as unknown as DrainReply;

it('says what is left of a peer that leaves, and what its leaving came to', () => {
  assert.equal(drainLeft(left), '1 chunk (2.0 kB) left');
  assert.equal(drainLeft({ ...left, left: null }), 'being counted');
  const goes = 'attic has left: the others have what it held, and refuse it from now on.';
  assert.equal(drainSummary(left), goes);
  assert.equal(drainSummary({ ...left, phase: 'member' }), 'attic stays.');
  const after = (chunks: number): string => drainSummary({ ...left, staying: { chunks, bytes: 1 } });
  assert.equal(after(1), `${goes} 1 stripe is one chunk short until a machine joins.`);
  assert.equal(after(2), `${goes} 2 stripes are one chunk short until a machine joins.`);
});
