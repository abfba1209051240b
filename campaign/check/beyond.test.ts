import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isDoomed } from './beyond.js';

test('a file is lost when fewer than k chunks of any stripe are left, and not before', () => {
  const chunks = ['a', 'b', 'c', null, 'e'].map((peer, index) => ({ index, id: String(index), peer, bytes: 1 }));
  const where = { k: 3, stripes: [{ id: 's', chunks }] };
  assert.equal(isDoomed(where, new Set()), false);
  assert.equal(isDoomed(where, new Set(['a'])), false);
  assert.equal(isDoomed(where, new Set(['a', 'b'])), true);
  assert.equal(isDoomed({ k: 3, stripes: [] }, new Set(['a', 'b', 'c'])), false, 'the catalog alone holds it');
});
