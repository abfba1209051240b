import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawOperation } from './operation.js';

test('operations follow from seed, writer and number', () => {
  const drawn = Array.from({ length: 300 }, (_, index) => drawOperation(1, 'a', index));
  assert.deepEqual(
    drawn,
    Array.from({ length: 300 }, (_, index) => drawOperation(1, 'a', index)),
  );
  assert.notDeepEqual(drawOperation(1, 'b', 5), drawn[5]);
  assert.notDeepEqual(drawOperation(2, 'a', 5), drawn[5]);
  assert.deepEqual(
    new Set(drawn.map(({ kind }) => kind)),
    new Set(['put', 'bundle', 'overwrite', 'get', 'look', 'rename', 'remove', 'compact']),
  );
});
