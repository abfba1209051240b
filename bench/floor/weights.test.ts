import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { floorSum, floorWeights } from './weights.js';

function near(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-9, `${String(actual)}, not ${String(expected)}`);
}

describe('the weights of 4 + 2', () => {
  const { put, get, degraded } = floorWeights({ k: 4, m: 2 });

  it('put: half as much again is hashed twice and stored, five of six chunks cross the network', () => {
    assert.deepEqual(put, { read: 1, seal: 1, hash: 3, code: 1, upload: 1.25, store: 1.5 });
  });

  it('get: a sixth of the data lies at the source peer', () => {
    near(get.download, 5 / 6);
    assert.deepEqual([get.read, get.unseal, get.write, get.hash, get.code], [1, 1, 1, undefined, undefined]);
  });

  it('get with two dead: three of the four chunks that are left come over the network, 4/3 are rebuilt', () => {
    near(degraded.download, 3 / 4);
    near(degraded.code, 2 / 3);
  });
});

it('the sum weighs each primitive', () => {
  const cost = { read: 1, seal: 10, unseal: 0, hash: 100, code: 0, upload: 0, download: 0, store: 0, write: 0 };
  assert.equal(floorSum({ read: 1, seal: 2, hash: 0.5 }, cost), 71);
});
