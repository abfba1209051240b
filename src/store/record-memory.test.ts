import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryFolder } from '../../test/contract/offer.js';
import { RecordMemory } from './record-memory.js';

test('records are there after a restart, by id and by prefix', async (context) => {
  const folder = await temporaryFolder(context);
  const peers = ['peer-1', 'peer-2'].map((id) => ({ id, counter: 3, signed: Uint8Array.of(1, 2) }));
  const user = { id: 'user-1', counter: 1, signed: Uint8Array.of(9) };
  {
    await using memory = await RecordMemory.open(folder);
    await memory.put([...peers, user]);
    await memory.put([]);
  }
  await using memory = await RecordMemory.open(folder);
  assert.deepEqual(memory.list('peer-'), peers);
  assert.deepEqual(memory.get('user-1'), user);
  assert.equal(memory.get('user-2'), undefined);
  assert.equal(memory.get('user'), undefined);
});

test('what a record said before is gone from the file', async (context) => {
  const folder = await temporaryFolder(context);
  const wrap = Buffer.from('the wrap of a passphrase that was given up');
  {
    await using memory = await RecordMemory.open(folder);
    await memory.put([{ id: 'user-1', counter: 1, signed: wrap }]);
  }
  const file = join(folder, 'memory.sqlite');
  assert.ok((await readFile(file)).includes(wrap));
  {
    await using memory = await RecordMemory.open(folder);
    await memory.put([{ id: 'user-1', counter: 2, signed: Uint8Array.of(7) }]);
    assert.equal(memory.get('user-1')?.counter, 2);
  }
  assert.ok(!(await readFile(file)).includes(wrap));
});
