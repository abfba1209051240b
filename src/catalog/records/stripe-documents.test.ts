import assert from 'node:assert/strict';
import { before, test, type TestContext } from 'node:test';
import { sampleLabel, sampleStripe } from '../../../test/contract/catalog-samples.js';
import { sampleUser, type SampleUser } from '../../../test/contract/catalog-users.js';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import { profileOf, SampleNetwork } from '../../../test/contract/sample-network.js';
import type { Receipt } from '../../chunk/chunk-store.js';
import { makeReceipt } from '../../chunk/receipt.js';
import { sealSigned } from '../../chunk/signed.js';
import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { silentLogger } from '../../log.js';
import type { StripeRecord } from '../catalog.js';
import { tombstone, writeForgotten } from './forget-record.js';
import type { Membership } from './membership.js';
import { RecordProblems } from './record-problems.js';
import { StripeDocuments } from './stripe-documents.js';
import { movePrefix, writeMove } from './stripe-move.js';
import { stripeDocumentId, writeStripe } from './stripe-record.js';

const HIGH_REV = `9-${'f'.repeat(32)}`;
const LATER_MS = 1_700_000_000_100;

let members: Membership[];

before(async () => {
  const network = await SampleNetwork.open();
  members = await Promise.all(Array.from({ length: 8 }, (_, index) => network.member(`peer ${String(index)}`)));
});

function memberAt(index: number): Membership {
  const found = members[index];
  assert.ok(found !== undefined);
  return found;
}

/** A promise of one of the members for a chunk of a stripe. */
function receiptOf(stripe: StripeRecord, index: number, by: Membership, storedMs = LATER_MS): Receipt {
  const chunk = stripe.chunks[index];
  assert.ok(chunk !== undefined);
  const promised = { peer: by.peer, chunk, owner: stripe.owner, bytes: stripe.chunkBytes, storedMs };
  return makeReceipt(promised, (body) => Uint8Array.from(by.signAsPeer('receipt', body)));
}

/** Chunk i at member i, with receipts; the last two members hold nothing. */
function placedStripe(owner: SampleUser): StripeRecord {
  const stripe = sampleStripe(owner.id);
  const placement = stripe.chunks.map((_, index) => {
    const by = memberAt(index);
    return { peer: by.peer, receipt: receiptOf(stripe, index, by, 1) };
  });
  return { ...stripe, placement, label: sealSigned('label', sampleLabel(stripe), owner.keys().signing) };
}

interface Case {
  readonly database: MemoryDocuments;
  readonly problems: RecordProblems;
  readonly stripes: StripeDocuments;
}

async function open(context: TestContext, database = new MemoryDocuments()): Promise<Case> {
  const problems = new RecordProblems(silentLogger());
  const peers = new Map(members.map((member) => [member.peer, { ...profileOf(member), state: 'member' as const }]));
  const options = { database, problems, logger: silentLogger(), peers: () => Promise.resolve(peers) };
  const stripes = await StripeDocuments.open({ ...options, isOwn: () => false });
  context.after(() => stripes.close());
  return { database, problems, stripes };
}

function nested(depth: number): unknown {
  let value: unknown = 'deep';
  for (let level = 0; level < depth; level++) value = [value];
  return value;
}

const FORGERIES: readonly { readonly what: string; readonly forge: (right: Document) => Document }[] = [
  { what: 'another owner', forge: (right) => ({ ...right, owner: '1'.repeat(64) }) },
  {
    what: 'the label of another stripe',
    forge: (right) => ({ ...right, label: writeStripe(placedStripe(sampleUser()))['label'] }),
  },
  { what: 'no places', forge: (right) => ({ ...right, placement: [], peers: [] }) },
  {
    what: 'places turned around',
    forge: (right) => ({ ...right, peers: [...(right['peers'] as string[])].reverse() }),
  },
  {
    what: 'everything at one peer',
    forge: (right) => ({ ...right, placement: (right['placement'] as object[]).map((place) => ({ ...place, at: 0 })) }),
  },
  {
    what: 'places without receipts',
    forge: (right) => ({ ...right, placement: [{ at: 0 }, null, null, null, null, null] }),
  },
  { what: 'a newer format', forge: (right) => ({ ...right, format: 2 }) },
  { what: 'garbage', forge: ({ _id }) => ({ _id, type: 'stripe', format: 1, label: {}, peers: 7, placement: 'x' }) },
  { what: '10 MB', forge: (right) => ({ ...right, label: 'A'.repeat(10_000_000) }) },
  { what: 'nesting, 10,000 deep', forge: (right) => ({ ...right, placement: nested(10_000) }) },
];

test('a forged leaf that wins in CouchDB is harmless', async (context) => {
  for (const { what, forge } of FORGERIES) {
    await context.test(what, async (inner) => {
      const { database, stripes } = await open(inner);
      const right = placedStripe(sampleUser());
      const document = writeStripe(right);
      await database.put([document]);
      await database.addLeaf({ rev: HIGH_REV, deleted: false, document: forge(document) });
      assert.deepEqual(await stripes.get([right.id]), [right]);
    });
  }
});

test('the same, on the very branch: the older revision has it, and it is written again', async (context) => {
  for (const { what, forge } of FORGERIES) {
    // Rightly labelled with other places: nothing tells it from the first but the receipts, which the revision before has.
    if (/place|everything/.test(what)) continue;
    // What this database for tests cannot write itself.
    if (what.includes('nesting')) continue;
    await context.test(what, async (inner) => {
      const { database, problems, stripes } = await open(inner);
      const right = placedStripe(sampleUser());
      const document = writeStripe(right);
      await database.put([document]);
      await database.put([forge(document)]);
      assert.deepEqual(await stripes.get([right.id]), [right]);
      assert.deepEqual(await database.get(document._id), document);
      assert.equal(problems.list()[0]?.kind, 'replayed');
    });
  }
});

test('a stripe ends by its owner’s order, and by no other tombstone', async (context) => {
  const { database, problems, stripes } = await open(context);
  const [owner, mallory] = [sampleUser(), sampleUser()];
  const stripe = placedStripe(owner);
  const name = stripeDocumentId(stripe.id);
  await stripes.put([stripe]);
  const order = { owner: mallory.id, issuedMs: 1, by: mallory.keys().signing };
  const concerns = { owner: owner.id, peers: [] };
  const tombstones = [
    { _id: name, _deleted: true },
    tombstone(name, 'AAAA', concerns),
    tombstone(name, writeForgotten(stripe.id, order), concerns),
    tombstone(name, writeForgotten(stripe.id, { ...order, owner: owner.id }), concerns),
    tombstone(
      name,
      writeForgotten(sampleStripe(owner.id).id, { owner: owner.id, issuedMs: 1, by: owner.keys().signing }),
      concerns,
    ),
  ];
  for (const document of tombstones) {
    await database.put([document]);
    await new Promise(setImmediate);
    assert.deepEqual(await stripes.get([stripe.id]), [stripe]);
  }
  assert.equal(problems.list()[0]?.kind, 'replayed');

  await stripes.forget([stripe.id], order);
  assert.deepEqual(await stripes.get([stripe.id]), [stripe], 'not by another user');
  await stripes.forget([stripe.id], { owner: owner.id, issuedMs: 1, by: owner.keys().signing });
  assert.deepEqual(await stripes.get([stripe.id]), [undefined]);
  const fresh = await open(context, database);
  assert.deepEqual(await fresh.stripes.get([stripe.id]), [undefined]);
  assert.deepEqual(fresh.problems.list(), []);
});

test('what cannot be had any more is reported, and hides no other', async (context) => {
  const { database, problems, stripes } = await open(context);
  const [lost, kept] = [placedStripe(sampleUser()), placedStripe(sampleUser())];
  await stripes.put([lost, kept]);
  await database.remove([stripeDocumentId(lost.id)]);
  await database.compact();
  await new Promise(setImmediate);
  assert.deepEqual(await stripes.get([lost.id, kept.id]), [undefined, kept]);
  assert.deepEqual(
    problems.list().map(({ document, kind }) => ({ document, kind })),
    [{ document: stripeDocumentId(lost.id), kind: 'lost' }],
  );
});

test('a stripe that is known stays so while others are read beside it', async (context) => {
  const { database, stripes } = await open(context);
  const [known, other] = [placedStripe(sampleUser()), placedStripe(sampleUser())];
  await stripes.put([known, other]);
  await stripes.get([known.id]);
  const leaves = database.leaves.bind(database);
  database.leaves = async (id) => {
    const found = await leaves(id);
    const [, , chunk] = known.chunks;
    assert.ok(chunk !== undefined);
    const receipt = receiptOf(known, 2, memberAt(6));
    if (id === stripeDocumentId(other.id)) await stripes.move([{ stripe: known.id, chunk, receipt }]);
    return found;
  };
  const got = await stripes.get([known.id, other.id]);
  assert.deepEqual(
    got.map((stripe) => stripe?.id),
    [known.id, other.id],
  );
});

test('moves: the latest place of each chunk, from any order of documents', async (context) => {
  const stripe = placedStripe(sampleUser());
  const [first, second] = [receiptOf(stripe, 2, memberAt(6), 10), receiptOf(stripe, 2, memberAt(7), 20)];
  const moves = [first, second].map((receipt) => writeMove(stripe, receipt));
  const expected = { ...stripe, placement: stripe.placement.with(2, { peer: second.peer, receipt: second }) };
  for (const documents of [moves, [...moves].reverse()]) {
    const { stripes, database } = await open(context);
    await stripes.put([stripe]);
    assert.deepEqual(await stripes.get([stripe.id]), [stripe]);
    await database.put(documents);
    await new Promise(setImmediate);
    assert.deepEqual(await stripes.get([stripe.id]), [expected]);
  }
});

test('a stripe put again as it was first stored changes no place, whatever the clocks said', async (context) => {
  const { stripes, database } = await open(context);
  const stripe = placedStripe(sampleUser());
  const ahead = { peer: memberAt(0).peer, receipt: receiptOf(stripe, 0, memberAt(0), 100 * LATER_MS) };
  const first = { ...stripe, placement: stripe.placement.with(0, ahead) };
  await stripes.put([first]);
  for (const [index, by] of [memberAt(6), memberAt(7)].entries()) {
    const chunk = stripe.chunks[index];
    assert.ok(chunk !== undefined);
    await stripes.move([{ stripe: stripe.id, chunk, receipt: receiptOf(stripe, index, by) }]);
  }
  const [moved] = await stripes.get([stripe.id]);
  const before = await database.sequence();
  await stripes.put([first]);
  assert.deepEqual(await stripes.get([stripe.id]), [moved]);
  assert.deepEqual(
    [0, 1].map((index) => moved?.placement[index]?.peer),
    [memberAt(6).peer, memberAt(7).peer],
  );
  assert.equal(await database.sequence(), before);
});

test('a move is named by what it says', async (context) => {
  const { stripes, database, problems } = await open(context);
  const stripe = placedStripe(sampleUser());
  await stripes.put([stripe]);
  const move = writeMove(stripe, receiptOf(stripe, 0, memberAt(6)));
  await database.put([{ ...move, _id: movePrefix(stripe.id) + '0'.repeat(64) }]);
  await new Promise(setImmediate);
  assert.deepEqual(await stripes.get([stripe.id]), [stripe]);
  assert.equal(problems.list().length, 1);
});

test('a move names all who ever held a chunk of the stripe', async (context) => {
  const { stripes, database } = await open(context);
  const stripe = placedStripe(sampleUser());
  await stripes.put([stripe]);
  const [first, second] = stripe.chunks;
  assert.ok(first !== undefined && second !== undefined);
  await stripes.move([{ stripe: stripe.id, chunk: first, receipt: receiptOf(stripe, 0, memberAt(6)) }]);
  await stripes.move([{ stripe: stripe.id, chunk: first, receipt: receiptOf(stripe, 0, memberAt(7), LATER_MS + 1) }]);
  const last = receiptOf(stripe, 1, memberAt(6), LATER_MS + 2);
  await stripes.move([{ stripe: stripe.id, chunk: second, receipt: last }]);
  const document = await database.get(writeMove(stripe, last)._id);
  assert.deepEqual(document?.['peers'], members.map(({ peer }) => peer).sort());
});

test('a stripe put again keeps its document; other places are moves', async (context) => {
  const { stripes, database } = await open(context);
  const stripe = placedStripe(sampleUser());
  await stripes.put([stripe]);
  const moved = { peer: memberAt(6).peer, receipt: receiptOf(stripe, 0, memberAt(6)) };
  const again = { ...stripe, placement: stripe.placement.with(0, moved) };
  await stripes.put([again]);
  assert.deepEqual(await stripes.get([stripe.id]), [again]);
  assert.deepEqual(await database.get(stripeDocumentId(stripe.id)), writeStripe(stripe));
  const before = await database.sequence();
  await stripes.put([again]);
  assert.equal(await database.sequence(), before);
});

test('whoever ever held a chunk of a stripe hears that it is forgotten', async (context) => {
  const { stripes, database } = await open(context);
  const owner = sampleUser();
  const stripe = placedStripe(owner);
  await stripes.put([stripe]);
  const [chunk] = stripe.chunks;
  assert.ok(chunk !== undefined);
  await stripes.move([{ stripe: stripe.id, chunk, receipt: receiptOf(stripe, 0, memberAt(6)) }]);
  await stripes.forget([stripe.id], { owner: owner.id, issuedMs: 1, by: owner.keys().signing });
  const [leaf] = await database.leaves(stripeDocumentId(stripe.id));
  const peers = leaf?.document['peers'] as readonly string[];
  assert.deepEqual([...peers].sort(), [0, 1, 2, 3, 4, 5, 6].map((index) => memberAt(index).peer).sort());
});

test('whatever peers sign, none of them gets more than one chunk of a stripe', async (context) => {
  const { stripes, database, problems } = await open(context);
  const stripe = placedStripe(sampleUser());
  await stripes.put([stripe]);
  const hostile = memberAt(6);
  const receipts = stripe.chunks.map((_, index) => receiptOf(stripe, index, hostile));
  const forged = receiptOf(stripe, 1, { ...memberAt(7), signAsPeer: hostile.signAsPeer });
  await database.put([...receipts, forged].map((receipt) => writeMove(stripe, receipt)));
  await new Promise(setImmediate);
  const [found] = await stripes.get([stripe.id]);
  const places = found?.placement.map((place) => place?.peer) ?? [];
  assert.equal(places.filter((peer) => peer === hostile.peer).length, 1);
  assert.equal(places.filter((peer) => peer === memberAt(7).peer).length, 0);
  assert.equal(problems.list().length, 1);
});

test('another user’s record of the same chunks does not take the place of one’s own', async (context) => {
  const database = new MemoryDocuments();
  const [owner, mallory] = [sampleUser(), sampleUser()];
  const stripe = placedStripe(owner);
  const copy = { ...stripe, owner: mallory.id };
  const label = sealSigned('label', sampleLabel(copy), mallory.keys().signing);
  await database.put([writeStripe(stripe)]);
  await database.addLeaf({ rev: HIGH_REV, deleted: false, document: writeStripe({ ...copy, label }) });
  const { stripes } = await open(context, database);
  assert.deepEqual(await stripes.get([stripe.id]), [stripe]);
});

test('a record that does not agree with its label is not written', async (context) => {
  const { stripes } = await open(context);
  const stripe = placedStripe(sampleUser());
  for (const wrong of [{ k: 3 }, { bytes: 3999 }, { owner: sampleUser().id }, { label: new Uint8Array(10) }]) {
    await assert.rejects(stripes.put([{ ...stripe, ...wrong }]), (error) => StorageError.is(error, 'INVALID_ARGUMENT'));
  }
});
