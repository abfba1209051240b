import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { rotatedAccount, sampleAccount, type SampleAccount } from '../../../test/contract/catalog-users.js';
import { SampleNetwork } from '../../../test/contract/sample-network.js';
import { networkDocument, peerDocument, stateDocument } from '../../../test/contract/sample-records.js';
import { deriveUserKeys } from '../../crypto/root-key.js';
import type { IsLatest } from '../../documents/branches.js';
import type { Document } from '../../documents/document-database.js';
import { userDocumentId, writeUser } from '../users/user-document.js';
import { latestRecords } from './latest-record.js';
import type { Membership } from './membership.js';
import { toRecordDocument } from './record-kind.js';

let authority: Membership;
let member: Membership;
let stranger: Membership;
let isLatest: IsLatest;

before(async () => {
  const network = await SampleNetwork.open();
  authority = await network.member('authority', { authority: true });
  member = await network.member('member');
  stranger = await (await SampleNetwork.open('elsewhere')).member('stranger', { authority: true });
  isLatest = latestRecords(authority)('network') ?? assert.fail('nothing is said of network');
});

/** Every kind, as it is the first time and the second. */
function records(): readonly (readonly [former: Document, later: Document])[] {
  const by = (counter: number): readonly Document[] => [
    networkDocument(authority, { counter }),
    peerDocument(member, { counter }),
    stateDocument(authority, member, { counter, state: 'removed' }),
  ];
  return by(1).map((former, at) => [former, by(2)[at] ?? assert.fail()]);
}

function userRecord({ user, rootKey }: SampleAccount): Document {
  const { publicKey, links } = user;
  const signed = writeUser(user, { privateKey: deriveUserKeys(rootKey).signing.privateKey, publicKey, links });
  return toRecordDocument('user', userDocumentId(user.owner), signed);
}

describe('the latest record', () => {
  test('is right, and counts higher than all others that are', () => {
    for (const [former, later] of records()) {
      const garbage = { ...former, signed: 'AAAA' };
      const future = { ...former, format: 99 };
      assert.ok(isLatest(former, []), former._id);
      assert.ok(isLatest(former, [garbage, future]), former._id);
      assert.ok(isLatest(later, [garbage, former, future]), former._id);
      assert.ok(!isLatest(former, [later]), former._id);
      assert.ok(!isLatest(later, [garbage, later]), 'a copy is no later');
      for (const wrong of [garbage, future, { _id: former._id }]) assert.ok(!isLatest(wrong, []), former._id);
    }
  });

  test('lies under its own id, and is signed by whom it is the word of', () => {
    const [network, peer] = records().map(([former]) => former) as [Document, Document];
    assert.ok(!isLatest({ ...peer, _id: `peer-${authority.peer}` }, []));
    assert.ok(!isLatest({ ...network, _id: 'note' }, []));
    assert.ok(!isLatest(networkDocument(stranger, { counter: 9, network: authority.network }), [network]));
    assert.ok(!isLatest(peerDocument(stranger, { counter: 9, network: authority.network }), []));
  });

  test('of a user is the one of the newest keys', () => {
    const first = sampleAccount();
    const [former, later] = [first, rotatedAccount(first)].map(userRecord) as [Document, Document];
    assert.ok(isLatest(later, [former]));
    assert.ok(!isLatest(former, [later]));
  });

  test('is not known of other databases', () => {
    for (const name of ['stripes', `user-${'a'.repeat(64)}-1`]) assert.equal(latestRecords(authority)(name), undefined);
  });
});
