import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { networkDocument, peerDocument, stateDocument } from '../contract/sample-records.js';
import { sampleUser } from '../contract/catalog-users.js';
import { SampleNetwork, profileOf } from '../contract/sample-network.js';
import { MemoryDocuments } from '../contract/memory-documents.js';
import { StripeLoad } from '../../bench/catalog/stripe-load.js';
import type { Document } from '../../src/documents/document-database.js';
import { validate } from '../../src/documents/rules/validate.js';
import { MAX_STRIPE_CHUNKS } from '../../src/limits.js';
import { tombstone, writeForgotten } from '../../src/catalog/records/forget-record.js';
import { homeRecordId, writeHome } from '../../src/catalog/records/home-record.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import { toRecordDocument } from '../../src/catalog/records/record-kind.js';
import { writeMove } from '../../src/catalog/records/stripe-move.js';
import { writeStripe } from '../../src/catalog/records/stripe-record.js';

let authority: Membership;
let member: Membership;

before(async () => {
  const network = await SampleNetwork.open();
  authority = await network.member('authority', { authority: true });
  member = await network.member('member');
});

/** @throws what the host says */
function write(by: Membership, db: string, document: Document, before: Document | null = null): void {
  const roles = by.signAsAuthority === undefined ? ['shoal-peer'] : ['shoal-peer', 'shoal-authority'];
  validate(document, before, { db, name: `peer-${by.peer}`, roles });
}

test('hosts take the records of a network from whoever writes them', () => {
  const user = sampleUser();
  const home = { user: user.id, peer: member.peer, gone: false, generation: 1 };
  const signed = writeHome(home, { counter: 1, issuedMs: 1, by: user.keys().signing });
  write(authority, 'network', networkDocument(authority, { counter: 2 }), networkDocument(authority, { counter: 1 }));
  const state = (counter: number): Document => stateDocument(authority, member, { counter, state: 'removed' });
  write(authority, 'network', state(2), state(1));
  write(member, 'network', peerDocument(member, { counter: 2 }), peerDocument(member, { counter: 1 }));
  write(member, 'network', toRecordDocument('home', homeRecordId(home), signed));
  // Whoever finds a record missing writes it again, whosever word it is.
  write(member, 'network', networkDocument(authority, { counter: 1 }));
  write(member, 'network', state(1), { ...state(1), _deleted: true });
});

test('hosts take the documents of the largest stripes', async () => {
  const network = await SampleNetwork.open();
  const members = await Promise.all(Array.from({ length: MAX_STRIPE_CHUNKS }, () => network.member('one of many')));
  const peers = new Map(members.map((one) => [one.peer, { ...profileOf(one), state: 'member' as const }]));
  await using load = await StripeLoad.open({ database: new MemoryDocuments(), members, peers });
  const stripe = load.make();
  const document = writeStripe(stripe);
  write(member, 'stripes', document);
  const [place] = stripe.placement;
  assert.ok(place?.receipt !== undefined);
  const move = writeMove(stripe, place.receipt);
  write(member, 'stripes', move);
  const owner = sampleUser();
  const order = writeForgotten(stripe.id, { owner: owner.id, issuedMs: 1, by: owner.keys().signing });
  for (const { _id } of [document, move])
    write(member, 'stripes', tombstone(_id, order, { owner: owner.id, peers: [] }), { ...document, _id });
});
