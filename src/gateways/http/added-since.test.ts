import assert from 'node:assert/strict';
import { it } from 'node:test';
import { addedSince } from './added-since.js';

it('what was added is what is more, and all of a process that began anew', () => {
  assert.deepEqual(addedSince({ read: 7, healed: 3 }, { read: 5, healed: 3 }), { read: 2, healed: 0 });
  assert.deepEqual(addedSince({ read: 6, healed: 1 }, { read: 5, healed: 3 }), { read: 6, healed: 1 });
});
