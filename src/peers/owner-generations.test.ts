import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUserId } from '../chunk/ids.js';
import { OwnerGenerations } from './owner-generations.js';

test('the newest generation that was ever heard of counts', () => {
  const generations = new OwnerGenerations();
  const id = parseUserId('ab'.repeat(32));
  assert.equal(generations.of(id), undefined);
  generations.update([{ id, generation: 2 }]);
  assert.equal(generations.of(id), 2);
  generations.update([{ id, generation: 1 }]);
  assert.equal(generations.of(id), 2);
});
