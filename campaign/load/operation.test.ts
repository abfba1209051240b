import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawOperation, possible } from './operation.js';
import { Stock } from './stock.js';

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

test('there may be nothing to work with, and writing goes on however much was written', () => {
  const empty = { stock: new Stock(100), files: 0, gone: 0, bundled: 0 };
  assert.equal(possible('remove', empty), 'put');
  assert.equal(possible('look', { ...empty, files: 1 }), 'get');
  assert.equal(possible('compact', { ...empty, files: 1 }), 'bundle');
  assert.equal(possible('compact', { ...empty, files: 1, bundled: 1 }), 'compact');

  const stock = new Stock(100);
  const some = { stock, files: 3, gone: 1, bundled: 0 };
  stock.put('/a', 80);
  assert.equal(possible('put', some), 'put');
  stock.put('/b', 10);
  stock.put('/b', 10);
  for (const kind of ['put', 'bundle', 'overwrite', 'compact'] as const) assert.equal(possible(kind, some), 'remove');
  for (const kind of ['get', 'look', 'rename', 'remove'] as const) assert.equal(possible(kind, some), kind);
  stock.move('/b', '/c');
  stock.trash('/c');
  assert.equal(possible('put', some), 'remove', 'little of it is in the trash');
  stock.removeForever('/b');
  assert.equal(possible('put', some), 'remove', 'it was moved');
  stock.trash('/a');
  assert.equal(possible('put', some), 'empty');
  stock.emptyTrash();
  assert.equal(possible('put', some), 'put');
  stock.put('/d', 100);
  stock.removeForever('/d');
  assert.equal(possible('put', some), 'put');
});
