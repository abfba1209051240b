import assert from 'node:assert/strict';
import { before, describe, test, type TestContext } from 'node:test';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import { temporaryFolder } from '../../../test/contract/offer.js';
import { profileOf, SampleNetwork } from '../../../test/contract/sample-network.js';
import {
  networkDocument,
  openReader,
  peerDocument,
  stateDocument,
  type SampleReader,
} from '../../../test/contract/sample-records.js';
import { rotatedAccount, sampleAccount, sampleUser, type SampleUser } from '../../../test/contract/catalog-users.js';
import { idBytes } from '../../chunk/ids.js';
import type { Document } from '../../documents/document-database.js';
import { StorageError, type ErrorCode } from '../../errors.js';
import { NetworkBody, PeerStateBody, Signed } from '../../gen/shoal/v1/format.js';
import { KeyRing } from '../users/key-ring.js';
import { writeHome } from './home-record.js';
import type { Membership } from './membership.js';
import { writePeer } from './network-records.js';
import { toRecordDocument } from './record-kind.js';

const HIGH_REV = `9-${'f'.repeat(32)}`;

let authority: Membership;
let member: Membership;
let other: Membership;
let stranger: Membership;
let expired: Membership;

before(async () => {
  const network = await SampleNetwork.open();
  authority = await network.member('authority', { authority: true });
  member = await network.member('member');
  other = await network.member('other');
  expired = await network.member('expired', { issuedMs: Date.now() - 5 * 24 * 60 * 60 * 1000 });
  stranger = await (await SampleNetwork.open('elsewhere')).member('stranger', { authority: true });
});

function isRefusal(...codes: ErrorCode[]): (error: unknown) => boolean {
  return (error) => StorageError.is(error, ...codes);
}

interface Case extends SampleReader {
  readonly database: MemoryDocuments;
}

async function open(context: TestContext, by = member): Promise<Case> {
  const database = new MemoryDocuments();
  const reader = await openReader(by, database, await temporaryFolder(context));
  context.after(() => reader[Symbol.asyncDispose]());
  return { ...reader, database };
}

async function liveLeaves(database: MemoryDocuments, id: string): Promise<readonly Document[]> {
  return (await database.leaves(id)).flatMap((leaf) => (leaf.deleted ? [] : leaf.document));
}

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

interface Attack {
  readonly what: string;
  /** The forgery of a record whose right one counts 2. */
  readonly forge: (right: Document) => Document;
}

/** What nobody's signature has to do with. */
const GARBAGE: readonly Attack[] = [
  { what: 'no signed part', forge: ({ _id, type, format }) => ({ _id, type, format }) },
  { what: 'a number for the signed part', forge: (right) => ({ ...right, signed: 7 }) },
  { what: 'text that is no message', forge: (right) => ({ ...right, signed: 'AAAA////garbage' }) },
  { what: 'an empty signed part', forge: (right) => ({ ...right, signed: '' }) },
  { what: '10 MB', forge: (right) => ({ ...right, signed: 'A'.repeat(10_000_000) }) },
  { what: 'nesting, 10,000 deep', forge: (right) => ({ ...right, signed: nested(10_000) }) },
  { what: 'the claim of a newer format', forge: (right) => ({ ...right, format: 9, signed: 'AAAA' }) },
  {
    what: 'a signature that is one bit off',
    forge: (right) => {
      const { body, signature, ...rest } = Signed.decode(Buffer.from(String(right['signed']), 'base64'));
      signature[10] = (signature[10] ?? 0) ^ 1;
      return { ...right, signed: Buffer.from(Signed.encode({ ...rest, body, signature }).finish()).toString('base64') };
    },
  },
];

async function holds(
  context: TestContext,
  right: Document,
  forged: Document,
  read: (c: Case) => Promise<unknown>,
): Promise<void> {
  const attacked = await open(context);
  const { database } = attacked;
  await database.put([right]);
  const expected = await read(attacked);
  await database.addLeaf({ rev: HIGH_REV, deleted: false, document: forged });
  assert.deepEqual(await read(attacked), expected, 'by whoever remembers');

  // And by a peer that sees the database for the first time.
  const fresh = await open(context);
  await fresh.database.put([right]);
  await fresh.database.addLeaf({ rev: HIGH_REV, deleted: false, document: forged });
  assert.deepEqual(await read(fresh), expected, 'by a new peer');
  await read(fresh);
  const left = await liveLeaves(fresh.database, right._id);
  if (forged['format'] === 1) assert.deepEqual(left, [right], 'the forgery is ended');
}

describe('forged leaves that win in CouchDB are harmless', () => {
  const attacks = (forgeries: readonly Attack[]) => [...GARBAGE, ...forgeries];

  test('the policy of the network', async (context) => {
    const right = networkDocument(authority, { counter: 2 });
    const table = attacks([
      { what: 'a lower counter', forge: () => networkDocument(authority, { counter: 1 }) },
      { what: 'signed by a member', forge: () => networkDocument(member, { counter: 9, sign: member.signAsPeer }) },
      { what: 'another network’s', forge: () => networkDocument(stranger, { counter: 9 }) },
      {
        what: 'another authority in the name of this network',
        forge: () => networkDocument(stranger, { counter: 9, network: authority.network }),
      },
      {
        what: 'a record of another kind',
        forge: () => ({ ...right, signed: peerDocument(member, { counter: 9 })['signed'] }),
      },
    ]);
    for (const { what, forge } of table) {
      await context.test(what, (inner) => holds(inner, right, forge(right), ({ documents }) => documents.network()));
    }
  });

  test('what a peer says of itself', async (context) => {
    const right = peerDocument(other, { counter: 2 });
    const inPlace = (document: Document): Document => ({ ...right, signed: document['signed'] });
    const table = attacks([
      { what: 'a lower counter', forge: () => peerDocument(other, { counter: 1 }) },
      { what: 'signed by another member', forge: () => peerDocument(other, { counter: 9, sign: member.signAsPeer }) },
      { what: 'the record of another member', forge: () => inPlace(peerDocument(member, { counter: 9 })) },
      {
        what: 'the certificate of another authority',
        forge: () => inPlace(peerDocument(stranger, { counter: 9, network: member.network })),
      },
      { what: 'another network’s', forge: () => inPlace(peerDocument(stranger, { counter: 9 })) },
      {
        what: 'the peer’s own certificate in another one’s name',
        forge: () => {
          const profile = { ...profileOf(other), id: member.peer };
          const issue = { counter: 9, issuedMs: 1, sign: other.signAsPeer };
          return inPlace(toRecordDocument('peer', right._id, writePeer(profile, other.network, issue)));
        },
      },
    ]);
    for (const { what, forge } of table) {
      await context.test(what, (inner) => holds(inner, right, forge(right), ({ documents }) => documents.peers()));
    }
  });

  test('what the authority says of a peer', async (context) => {
    const peer = peerDocument(other, { counter: 1 });
    const right = stateDocument(authority, other, { counter: 2, state: 'removed' });
    const state = async ({ database, documents }: Case): Promise<unknown> => {
      await database.put([peer]);
      return (await documents.peers()).map((record) => record.state);
    };
    const table = attacks([
      { what: 'a lower counter', forge: () => stateDocument(authority, other, { counter: 1, state: 'member' }) },
      {
        what: 'signed by the removed peer',
        forge: () => stateDocument(authority, other, { counter: 9, state: 'member', sign: other.signAsPeer }),
      },
      {
        what: 'the state of another peer',
        forge: () => ({
          ...right,
          signed: stateDocument(authority, member, { counter: 9, state: 'member' })['signed'],
        }),
      },
    ]);
    for (const { what, forge } of table) {
      await context.test(what, (inner) => holds(inner, right, forge(right), state));
    }
  });
});

test('a peer whose certificate has expired is not listed, whatever it says', async (context) => {
  const { database, documents, problems } = await open(context);
  await database.put([peerDocument(expired, { counter: 1 }), peerDocument(member, { counter: 1 })]);
  assert.deepEqual(
    (await documents.peers()).map(({ id }) => id),
    [member.peer],
  );
  assert.equal(problems.list()[0]?.kind, 'refused');
  await assert.rejects(documents.take([peerDocument(expired, { counter: 2 })]), isRefusal('UNAUTHENTICATED'));
});

test('a clock that is wrong ends nobody’s record, and forgets nothing', async (context) => {
  const folder = await temporaryFolder(context);
  const database = new MemoryDocuments();
  const right = peerDocument(other, { counter: 2 });
  await database.put([right]);
  await (await openReader(member, database, folder)).memory.close();
  const nextYear = Date.now() + 400 * 24 * 60 * 60 * 1000;
  {
    await using reader = await openReader(member, database, folder, () => nextYear);
    assert.deepEqual(await reader.documents.peers(), []);
  }
  await using reader = await openReader(member, database, folder);
  assert.equal((await reader.documents.peers()).length, 1);
  assert.deepEqual(await liveLeaves(database, right._id), [right]);
});

test('a peer changes what it says of itself, nobody else does, and its state is the authority’s', async (context) => {
  const { database, documents } = await open(context);
  const profile = profileOf(member);
  await documents.setPeer(profile);
  await documents.setPeer(profile);
  assert.equal(await database.sequence(), '1', 'nothing new, nothing written');
  await documents.setPeer({ ...profile, address: 'attic.example:1', backup: true });
  const moved = { ...profile, address: 'attic.example:1', backup: true, state: 'member' };
  assert.deepEqual(await documents.peers(), [moved]);
  await assert.rejects(documents.setPeer(profileOf(other)), isRefusal('PERMISSION_DENIED'));
  await assert.rejects(documents.setPeerState(member.peer, 'removed'), isRefusal('PERMISSION_DENIED'));
  await assert.rejects(documents.setNetwork({ name: 'mine' }), isRefusal('PERMISSION_DENIED'));

  await database.put([stateDocument(authority, member, { counter: 1, state: 'removed' })]);
  await documents.setPeer({ ...profile, name: 'I am back' });
  assert.equal((await documents.peers())[0]?.state, 'removed');
});

test('two writes at once take two counters', async (context) => {
  const { documents } = await open(context, authority);
  await Promise.all([documents.setNetwork({ name: 'one' }), documents.setNetwork({ name: 'two' })]);
  assert.equal((await documents.network()).name, 'two');
});

test('an older state of the whole database is found out and mended', async (context) => {
  const folder = await temporaryFolder(context);
  const old = [networkDocument(authority, { counter: 1 }), peerDocument(other, { counter: 1 })];
  const removed = stateDocument(authority, other, { counter: 1, state: 'removed' });
  {
    const database = new MemoryDocuments();
    await database.put([
      ...old,
      networkDocument(authority, { counter: 2 }),
      peerDocument(other, { counter: 2 }),
      removed,
    ]);
    await using reader = await openReader(member, database, folder);
    assert.equal((await reader.documents.network()).tolerate, 2);
    assert.equal((await reader.documents.peers())[0]?.state, 'removed');
  }
  const replayed = new MemoryDocuments();
  await replayed.put(old);
  await using reader = await openReader(member, replayed, folder);
  assert.equal((await reader.documents.network()).tolerate, 2);
  const [peer] = await reader.documents.peers();
  assert.deepEqual([peer?.state, peer?.address], ['removed', '127.0.0.1:2']);
  const ids = [`peer-${other.peer}`, `peer-state-${other.peer}`, 'network'];
  const kinds = new Map(reader.problems.list().map(({ document, kind }) => [document, kind]));
  for (const id of ids) assert.equal(kinds.get(id), 'replayed', id);

  // Others who read this database see it mended.
  const fresh = await openReader(member, replayed, await temporaryFolder(context));
  assert.deepEqual(await fresh.documents.peers(), [peer]);
  await fresh.memory.close();
});

test('a tombstone or garbage on the very branch is undone', async (context) => {
  const { database, documents } = await open(context);
  const right = peerDocument(other, { counter: 3 });
  await database.put([right]);
  const expected = await documents.peers();
  await database.remove([right._id]);
  assert.deepEqual(await documents.peers(), expected);
  await database.put([{ ...right, signed: 'AAAA' }]);
  assert.deepEqual(await documents.peers(), expected);
  assert.deepEqual(await liveLeaves(database, right._id), [right]);

  // Without a memory the older revision has it.
  const fresh = await openReader(member, database, await temporaryFolder(context));
  await database.put([{ ...right, signed: 'AAAA' }]);
  assert.deepEqual(await fresh.documents.peers(), expected);
  await fresh.memory.close();
});

test('of a newer format: read-only, with a clear word, and never written over', async (context) => {
  const { database, documents, problems } = await open(context, authority);
  await documents.setNetwork({ name: 'now' });
  const body = NetworkBody.encode({
    format: 2,
    network: idBytes(authority.network),
    counter: 7,
    name: 'later',
    tolerate: undefined,
    issuedMs: 1,
    authorities: [],
  }).finish();
  assert.ok(authority.signAsAuthority);
  const signature = authority.signAsAuthority('network', body);
  const signed = Signed.encode({ body, signature, publicKey: new Uint8Array(0), links: [] }).finish();
  const later = toRecordDocument('network', 'network', signed);
  for (const document of [later, { _id: 'network', type: 'network', format: 2, other: 'fields' }]) {
    await database.put([document]);
    await assert.rejects(documents.setNetwork({ name: 'mine' }), isRefusal('UNSUPPORTED'));
    assert.deepEqual(await liveLeaves(database, 'network'), [document]);
    assert.equal(problems.list()[0]?.kind, 'newer');
  }
  await assert.rejects(documents.network(), /upgrade Shoal/);
  await database.put([peerDocument(other, { counter: 1 })]);
  assert.equal((await documents.peers()).length, 1, 'the rest is read');
});

test('a state of a peer in a newer format is taken for a removal', async (context) => {
  const { database, documents } = await open(context);
  const header = { format: 2, network: idBytes(member.network), counter: 5, peer: idBytes(other.peer) };
  const body = PeerStateBody.encode({ ...header, state: 7, issuedMs: 1 }).finish();
  assert.ok(authority.signAsAuthority);
  const signature = authority.signAsAuthority('peerState', body);
  const signed = Signed.encode({ body, signature, publicKey: new Uint8Array(0), links: [] }).finish();
  await database.put([
    peerDocument(other, { counter: 1 }),
    toRecordDocument('peer-state', `peer-state-${other.peer}`, signed),
  ]);
  assert.equal((await documents.peers())[0]?.state, 'removed');
});

test('on a full disk records are read as ever', async (context) => {
  const { database, documents, memory } = await open(context);
  await database.put([peerDocument(other, { counter: 1 })]);
  const full = (): Promise<never> => Promise.reject(new StorageError('NO_SPACE', 'The disk is full.'));
  memory.put = full;
  assert.equal((await documents.peers()).length, 1);
});

test('the database of another network is refused', async (context) => {
  const { database, documents } = await open(context);
  await database.put([networkDocument(stranger, { counter: 1 }), peerDocument(stranger, { counter: 1 })]);
  await assert.rejects(documents.network(), /belongs to another network/);
  assert.deepEqual(await documents.peers(), []);
});

test('homes: in the user’s words alone, and none at a peer that was removed', async (context) => {
  const { database, documents } = await open(context);
  const [user, mallory] = [sampleUser(), sampleUser()];
  const home = (by: SampleUser, gone = false, counter = 1): Document => {
    const record = { user: user.id, peer: other.peer, gone, generation: 1 };
    const signed = writeHome(record, { counter, issuedMs: 1, by: by.keys().signing });
    return toRecordDocument('home', `home-${user.id}-${other.peer}`, signed);
  };
  await database.put([peerDocument(other, { counter: 1 }), home(mallory)]);
  assert.deepEqual(await documents.homes(), []);
  await documents.setHome({ user: user.id, peer: other.peer, gone: false, generation: 1 }, user.keys().signing);
  await documents.setHome({ user: user.id, peer: other.peer, gone: false, generation: 1 }, user.keys().signing);
  assert.deepEqual(await documents.homes(), [{ user: user.id, peer: other.peer }]);
  await database.addLeaf({ rev: HIGH_REV, deleted: false, document: home(mallory, true, 9) });
  assert.deepEqual(await documents.homes(), [{ user: user.id, peer: other.peer }]);
  await database.put([stateDocument(authority, other, { counter: 1, state: 'removed' })]);
  assert.deepEqual(await documents.homes(), []);
  await database.put([stateDocument(authority, other, { counter: 2, state: 'member' })]);
  await documents.setHome({ user: user.id, peer: other.peer, gone: true, generation: 1 }, user.keys().signing);
  assert.deepEqual(await documents.homes(), []);
});

test('what a home says of generations counts as far as its key is of them, and outlasts a removal', async (context) => {
  const { database, documents } = await open(context);
  const first = sampleAccount();
  const { owner } = first.user;
  const second = rotatedAccount(first);
  const [former, newest] = [first, second].map(({ user, rootKey }) => KeyRing.open(user, rootKey).signer);
  assert.ok(former !== undefined && newest !== undefined);
  const home = { user: owner, peer: other.peer, gone: false };
  const generation = async (): Promise<number | undefined> => (await documents.home(home))?.generation;
  assert.equal(await generation(), undefined);
  await documents.setHome({ ...home, generation: 2 }, former);
  assert.equal(await generation(), 1, 'a key that was given up says nothing of its successors');
  await documents.setHome({ ...home, generation: 2 }, newest);
  await documents.setHome({ ...home, generation: 2 }, newest);
  assert.equal(await generation(), 2);
  await database.put([peerDocument(other, { counter: 1 })]);
  await database.put([stateDocument(authority, other, { counter: 1, state: 'removed' })]);
  const words = (await documents.homeRecords()).map(({ gone, generation: has, issuedMs }) => [gone, has, issuedMs > 0]);
  assert.deepEqual(words, [[true, 2, true]]);
});

test('records from another peer are taken when they are right, and only forwards', async (context) => {
  const { documents } = await open(context);
  await documents.take([networkDocument(authority, { counter: 2 }), peerDocument(other, { counter: 1 })]);
  await documents.take([networkDocument(authority, { counter: 1 })]);
  assert.equal((await documents.network()).tolerate, 2);
  await assert.rejects(documents.take([networkDocument(stranger, { counter: 9 })]), isRefusal('PERMISSION_DENIED'));
  await assert.rejects(documents.take([{ _id: 'stripe-1' }]), isRefusal('INVALID_ARGUMENT'));
});

test('a record whose text the disk has damaged is read from memory, and hides no other', async (context) => {
  const { database, documents, problems } = await open(context, authority);
  await documents.setNetwork({ name: 'now' });
  await database.put([peerDocument(authority, { counter: 1 }), peerDocument(member, { counter: 1 })]);
  const expected = await documents.peers();
  assert.equal(expected.length, 2);
  const leaves = database.leaves.bind(database);
  database.leaves = async (id) => {
    if (id === `peer-${member.peer}`) throw new StorageError('CORRUPT', 'The disk has damaged this.');
    return leaves(id);
  };
  await database.put([{ _id: 'peer-x' }]);
  assert.deepEqual(await documents.peers(), expected);
  assert.ok(problems.list().some(({ document }) => document === `peer-${member.peer}`));
});
