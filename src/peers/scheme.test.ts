import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageError } from '../errors.js';
import { requiredReceipts, schemeFor } from './scheme.js';

describe('schemeFor', () => {
  it('tolerates one loss below six peers and two from six on', () => {
    assert.deepEqual(schemeFor(3), { k: 2, m: 1 });
    assert.deepEqual(schemeFor(5), { k: 4, m: 1 });
    assert.deepEqual(schemeFor(6), { k: 4, m: 2 });
    assert.deepEqual(schemeFor(12), { k: 10, m: 2 });
  });

  it('never makes more chunks than placement uses', () => {
    assert.deepEqual(schemeFor(1000), { k: 14, m: 2 });
    assert.deepEqual(schemeFor(1000, 6), { k: 10, m: 6 });
  });

  it('refuses networks that cannot keep the promise', () => {
    for (const [peers, tolerate] of [
      [1, undefined],
      [2, undefined],
      [3, 2],
      [16, 15],
    ] as const) {
      assert.throws(
        () => schemeFor(peers, tolerate),
        (error) => StorageError.is(error, 'TOO_FEW_PEERS'),
      );
    }
    for (const tolerate of [0, -1, 1.5, Number.NaN]) {
      assert.throws(
        () => schemeFor(6, tolerate),
        (error) => StorageError.is(error, 'INVALID_ARGUMENT'),
      );
    }
  });

  it('asks for more than k receipts', () => {
    assert.equal(requiredReceipts({ k: 4, m: 2 }), 5);
    assert.equal(requiredReceipts({ k: 2, m: 1 }), 3);
    assert.equal(requiredReceipts({ k: 10, m: 5 }), 13);
  });
});
