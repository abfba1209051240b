import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parsePeerId } from '../chunk/ids.js';
import { StorageError, type ErrorCode } from '../errors.js';
import { MAX_OPEN_INVITATIONS } from '../limits.js';
import { Invitations } from './invitations.js';

const [first, second] = [parsePeerId('a1'.repeat(32)), parsePeerId('b2'.repeat(32))];
const NOW = 1_800_000_000_000;
const TERMS = { createdMs: NOW, expiresMs: NOW + 1000, note: 'Léa', authority: false };

function isCode(code: ErrorCode): (error: unknown) => boolean {
  return (error) => StorageError.is(error, code);
}

describe('invitations', () => {
  let folder: string;
  let invitations: Invitations;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-invitations-'));
    invitations = await Invitations.open(folder);
  });
  after(async () => {
    await invitations.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('serve one peer, as often as it asks, until they expire', async () => {
    const { secret, id } = await invitations.add(TERMS);
    assert.equal(await invitations.use(secret, first, NOW + 1), true);
    assert.equal(await invitations.use(secret, second, NOW + 2), false);
    assert.equal(await invitations.use(secret, first, NOW + 3), true);
    assert.equal(await invitations.use(secret, first, NOW + 1000), false);
    assert.equal(invitations.find(secret)?.usedBy, first);
    await assert.rejects(invitations.revoke(id), isCode('CONFLICT'));
  });

  it('that were revoked serve nobody', async () => {
    const { secret, id } = await invitations.add(TERMS);
    await invitations.revoke(id);
    assert.equal(invitations.find(secret), undefined);
    assert.equal(await invitations.use(secret, first, NOW), false);
    await assert.rejects(invitations.revoke(id), isCode('NOT_FOUND'));
  });

  it('are still there after a restart, their secrets nowhere on the disk', async () => {
    const { secret, id } = await invitations.add({ ...TERMS, authority: true });
    await invitations.close();
    assert.ok(!(await readFile(join(folder, 'invitations.sqlite'))).includes(Buffer.from(secret)));
    invitations = await Invitations.open(folder);
    assert.deepEqual(invitations.find(secret), { id, ...TERMS, authority: true, usedBy: undefined });
    assert.ok(invitations.list().some((each) => each.id === id));
  });

  it('may be made by one process and used by another', async () => {
    await using other = await Invitations.open(folder);
    const { secret } = await invitations.add(TERMS);
    assert.equal(await other.use(secret, first, NOW + 1), true);
    assert.equal(await invitations.use(secret, second, NOW + 2), false);
  });

  it('are bounded, and those that have expired do not count', async () => {
    const open = invitations.list().filter(({ usedBy }) => usedBy === undefined).length;
    for (let n = open; n < MAX_OPEN_INVITATIONS; n++) await invitations.add(TERMS);
    await assert.rejects(invitations.add(TERMS), isCode('LIMIT_EXCEEDED'));
    await invitations.add({ ...TERMS, createdMs: NOW + 2000, expiresMs: NOW + 3000 });
    await invitations.add({ ...TERMS, createdMs: NOW + 60 * 86_400_000, expiresMs: NOW + 61 * 86_400_000 });
    assert.equal(invitations.list().length, 1, 'what ended long ago is forgotten');
  });
});
