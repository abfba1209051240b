import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { parseUserId } from '../../chunk/ids.js';
import { openGatewayState } from '../../store/gateway-state.js';
import { TokenBook } from './token-book.js';

const ANN = parseUserId('aa'.repeat(32));
const BOB = parseUserId('bb'.repeat(32));

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shoal-tokens-'));
});
after(() => rm(folder, { recursive: true, force: true }));

it('tokens outlive a restart, as hashes, until they end or are revoked', async () => {
  let nowMs = 1000;
  let database = await openGatewayState(folder);
  const made = { user: ANN, userName: 'ann', name: 'backup', scope: 'read', expiresMs: 1_000_000 } as const;
  const { id, token } = await new TokenBook(database, () => nowMs).make(made);
  assert.match(token, /^shoal_[\w-]{43}$/);
  await database.close();
  for (const file of ['gateway.sqlite', 'gateway.sqlite-wal']) {
    const bytes = await readFile(join(folder, file)).catch(() => Buffer.alloc(0));
    assert.ok(!bytes.includes(token) && !bytes.includes(token.slice(6)), file);
  }
  database = await openGatewayState(folder);
  const book = new TokenBook(database, () => nowMs);
  const found = { ...made, id, createdMs: 1000, lastUsedMs: 1000 };
  assert.deepEqual(book.find(token), found);
  nowMs = 100_000;
  book.find(token);
  assert.equal(book.list(ANN)[0]?.lastUsedMs, 100_000);
  assert.deepEqual(book.list(BOB), []);
  assert.equal(await book.remove(BOB, id), false);
  assert.equal(book.find(`${token}x`), undefined);
  nowMs = 1_000_000;
  assert.equal(book.find(token), undefined);
  nowMs = 1000;
  assert.equal(await book.remove(ANN, id), true);
  assert.equal(book.find(token), undefined);
  await database.close();
});

it('tokens that end are told of: revoked, one or all of a user, or too old', async () => {
  let nowMs = 0;
  const database = await openGatewayState(await mkdtemp(join(folder, 'ends-')));
  const book = new TokenBook(database, () => nowMs);
  const ended: string[] = [];
  book.onEnd((id) => ended.push(id));
  const make = async (user: typeof ANN, expiresMs: number): Promise<string> => {
    return (await book.make({ user, userName: 'x', name: 'x', scope: 'all', expiresMs })).id;
  };
  const [one, two, three] = [await make(ANN, 1000), await make(ANN, 1000), await make(ANN, 1000)];
  const [late, bobs] = [await make(BOB, 10), await make(BOB, 1000)];
  await book.remove(ANN, one);
  assert.deepEqual(ended.splice(0), [one]);
  await book.removeAll(ANN, three);
  assert.deepEqual(ended.splice(0), [two]);
  nowMs = 10;
  await book.expire();
  await book.expire();
  assert.deepEqual(ended.splice(0), [late]);
  const soon = await make(BOB, 20);
  nowMs = 20;
  const bobsNext = await make(BOB, 1000);
  assert.deepEqual(ended, [soon], 'forgotten to make room');
  const ids = [...book.list(ANN), ...book.list(BOB)].map(({ id }) => id);
  assert.deepEqual(ids, [three, bobs, bobsNext]);
  await database.close();
});
