/** A user's catalog and its stripes in the hands of a backup host. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { STRIPES_DATABASE, userDatabase } from '../../src/chunk/database-names.js';
import { parsePeerId, parseUserId } from '../../src/chunk/ids.js';
import { Change, type Operation } from '../../src/gen/shoal/v1/format.js';
import { deriveUserKeys, newRootKey, userId } from '../../src/crypto/root-key.js';
import type { Document } from '../../src/documents/document-database.js';
import { writeSealed } from '../../src/catalog/view/sealed-document.js';
import { put } from '../planet/files.js';
import { alone, beside, Siege } from './siege.js';

describe('a backup host and the catalog of a user', () => {
  let siege: Siege;
  let name: string;
  let changes: string[];

  before(async () => {
    siege = await Siege.open();
    name = siege.catalogName;
    changes = await siege.heldIds(name, 'change-');
    assert.ok(changes.length >= siege.files.size);
  });
  after(() => siege[Symbol.asyncDispose]());

  async function pair(prefix: string, database: string): Promise<[Document, Document]> {
    const [one = '', two = ''] = await siege.heldIds(database, prefix);
    return [await siege.held(database, one), await siege.held(database, two)];
  }

  it('entries swapped: the change of one file under the name of another’s', async () => {
    const [one, two] = await pair('change-', name);
    await siege.plantRefused(name, beside({ ...two, _id: one._id }), beside({ ...one, _id: two._id }));
    await siege.plantRefused(name, await siege.over(name, { ...two, _id: one._id }));
    await siege.assertUnharmed();
  });

  it('only their seals or signatures swapped', async () => {
    const [one, two] = await pair('change-', name);
    const [sealed, signature] = [two['sealed'], two['signature']];
    await siege.plantRefused(
      name,
      beside({ ...one, sealed }),
      beside({ ...one, signature }),
      beside({ ...one, sealed, signature }),
    );
    await siege.assertUnharmed();
  });

  it('all of it deleted: tombstones over every change, and one that says it was forgotten', async () => {
    for (const _id of changes) {
      await siege.plantRefused(name, await siege.over(name, { _id }, true), beside({ _id, forgotten: 'AAAA' }, true));
    }
    await siege.assertUnharmed();
  });

  it('a change that another user made, as it is and with this user’s name on it', async () => {
    const foreign = deriveUserKeys(newRootKey());
    const other = parseUserId(userId(foreign.signing.publicKey));
    const user = siege.planet.session.user;
    const injected = Change.encode({ operations: [injection()], ...ALONE }).finish();
    const fields = { type: 'change', peer: siege.planet.id(2), counter: 999 } as const;
    const theirs = writeSealed({ ...fields, user: other }, injected, foreign);
    await siege.plantRefused(name, alone(theirs));
    const posing = writeSealed({ ...fields, user }, injected, foreign);
    await siege.plantTaken(name, alone(posing));
    for (const n of [1, 3]) await siege.assertTold(posing._id, n);
    await siege.assertUnharmed();
  });

  it('a right change again, with another counter, peer or format', async () => {
    const [one] = await pair('change-', name);
    for (const lie of [{ counter: 999_999 }, { peer: parsePeerId(randomBytes(32)) }, { format: 2 }]) {
      await siege.plantRefused(name, beside({ ...one, ...lie }));
    }
    await siege.assertUnharmed();
    // A user who is told of a newer format writes no more.
    await put(siege.planet, '/film', siege.files.get('/film') ?? new Uint8Array());
  });

  it('a manifest that leads to the extents of another file: stripes swapped', async () => {
    const [one, two] = await pair('stripe-', STRIPES_DATABASE);
    await siege.plantRefused(
      STRIPES_DATABASE,
      beside({ ...two, _id: one._id }),
      beside({ ...one, label: two['label'] }),
      await siege.over(STRIPES_DATABASE, { ...two, _id: one._id }),
    );
    await siege.assertUnharmed();
  });

  it('stripes deleted without their owner’s order, and with a forged one', async () => {
    for (const _id of await siege.heldIds(STRIPES_DATABASE, 'stripe-')) {
      // With the fields that replication asks for.
      const { owner, peers } = await siege.held(STRIPES_DATABASE, _id);
      const tombstone = { _id, owner, peers };
      await siege.plantRefused(STRIPES_DATABASE, await siege.over(STRIPES_DATABASE, tombstone, true));
      const forgotten = randomBytes(80).toString('base64');
      const forged = await siege.over(STRIPES_DATABASE, { ...tombstone, forgotten }, true);
      await siege.plantTaken(STRIPES_DATABASE, forged);
    }
    await siege.assertUnharmed();
  });

  it('stripes that nobody made', async () => {
    const [one] = await pair('stripe-', STRIPES_DATABASE);
    const forged = { ...one, _id: `stripe-${randomBytes(32).toString('hex')}` };
    await siege.plantTaken(STRIPES_DATABASE, alone(forged));
    await siege.assertUnharmed();
  });

  it('documents of a wrong type, of 10 MB, and nested 10,000 deep', async () => {
    const [one] = await pair('change-', name);
    const fresh = (): string => `change-${randomBytes(32).toString('hex')}`;
    await siege.plantRefused(
      name,
      alone({ ...one, _id: fresh(), type: 'state' }),
      alone({ _id: 'note', type: 'note', format: 1 }),
      alone({ ...one, _id: fresh(), padding: 'x'.repeat(10_000_000) }),
      alone({ ...one, _id: fresh(), deep: nested(100) }),
    );
    await siege.plantNested(name, fresh(), 10_000);
    await siege.assertUnharmed();
    // And what is right still comes through, in both directions.
    const later = 'put after the attack';
    await put(siege.planet, '/later', Buffer.from(later));
    await siege.arrives(3, '/later');
    await siege.planet.engine.catalog.remove(siege.planet.session, '/later', { forever: true });
  });

  it('databases of other names do not come to anybody', async () => {
    const strange = userDatabase(parseUserId(randomBytes(32)), 1);
    await siege.provide(strange);
    await siege.plant(strange, alone({ _id: changes[0] ?? '', type: 'change', format: 1 }));
    assert.ok(!(await siege.databases(3)).includes(strange));
  });
});

const ALONE = {
  commit: new Uint8Array(0),
  part: 0,
  parts: 0,
  previous: new Uint8Array(0),
  peerName: 'evil',
  origin: new Uint8Array(0),
};

function injection(): Operation {
  const node = randomBytes(16);
  const parent = new Uint8Array(16);
  const setEntry = { node, parent, name: 'injected', folder: true, changedMs: 1, trashedFrom: '', seen: [] };
  return { operation: { $case: 'setEntry', value: setEntry } };
}

function nested(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level++) value = [value];
  return value;
}
