/** Whoever hosts a database writes what he likes into it: a reader of any record gives the record or throws a StorageError. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';
import fc from 'fast-check';
import { forgottenBy, writeForgotten } from '../../src/catalog/records/forget-record.js';
import { homeKind, writeHome } from '../../src/catalog/records/home-record.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import {
  networkKind,
  peerKind,
  peerStateKind,
  writeNetwork,
  writePeer,
  writePeerState,
} from '../../src/catalog/records/network-records.js';
import { signedOf } from '../../src/catalog/records/record-kind.js';
import { readStripe, stripeDocumentId } from '../../src/catalog/records/stripe-record.js';
import { mergeMoves } from '../../src/catalog/records/stripe-move.js';
import { readUser, writeUser } from '../../src/catalog/users/user-document.js';
import { decodeChange } from '../../src/catalog/view/change.js';
import { readExtentList } from '../../src/catalog/view/extents.js';
import { readSealed, writeSealed } from '../../src/catalog/view/sealed-document.js';
import { decodeState } from '../../src/catalog/view/state.js';
import { parsePeerId, parseStripeId, parseUserId } from '../../src/chunk/ids.js';
import { sealSigned } from '../../src/chunk/signed.js';
import type { SignaturePurpose } from '../../src/crypto/labels.js';
import { deriveUserKeys, userId } from '../../src/crypto/root-key.js';
import type { Document } from '../../src/documents/document-database.js';
import { StorageError } from '../../src/errors.js';
import { Signed } from '../../src/gen/shoal/v1/format.js';
import { CATALOG_VECTORS, readCatalogVectors } from '../vectors/catalog-vectors.js';
import { profileOf, SampleNetwork } from '../contract/sample-network.js';

const RUNS = { numRuns: 400 };
/** Signatures cost most. */
const SIGNED_RUNS = { numRuns: 150 };
const keys = deriveUserKeys(randomBytes(32));
const by = { publicKey: keys.signing.publicKey, privateKey: keys.signing.privateKey };
const user = parseUserId(userId(by.publicKey));
const peer = parsePeerId(randomBytes(32));
const stripe = parseStripeId(randomBytes(32));
const noise = fc.uint8Array({ maxLength: 400 });

/** Bytes that were right once: some changed, some cut off, some put in. */
function spoilt(right: Uint8Array): fc.Arbitrary<Uint8Array> {
  const change = fc.record({ at: fc.nat(right.length), value: fc.nat(255), insert: fc.boolean() });
  return fc
    .record({ changes: fc.array(change, { maxLength: 4 }), cut: fc.option(fc.nat(right.length)) })
    .map((spoiling) => {
      const bytes = [...right];
      for (const { at, value, insert } of spoiling.changes) bytes.splice(at, insert ? 0 : 1, value);
      return Uint8Array.from(bytes.slice(0, spoiling.cut ?? bytes.length));
    });
}

function survives(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    assert.ok(error instanceof StorageError && error.code !== 'INTERNAL', String(error));
    assert.notEqual(error.code, 'INVALID_ARGUMENT', 'what came from elsewhere is nobody’s argument');
  }
}

/** With noise, with what was right, and with bodies of either sort that are rightly signed. */
function fuzzSigned(
  open: (signed: Uint8Array) => unknown,
  right: Uint8Array,
  sign: (body: Uint8Array) => Uint8Array,
): void {
  assert.ok(open(right));
  const { body } = Signed.decode(right);
  fc.assert(
    fc.property(fc.oneof(noise, spoilt(right)), (bytes) => survives(() => open(bytes))),
    SIGNED_RUNS,
  );
  fc.assert(
    fc.property(fc.oneof(noise, spoilt(body)), (bytes) => survives(() => open(sign(bytes)))),
    SIGNED_RUNS,
  );
}

describe('records that a database serves', () => {
  let member: Membership;
  const issue = { counter: 3, issuedMs: 1_795_000_000_000 };

  before(async () => {
    member = await (await SampleNetwork.open()).member('attic', { authority: true });
  });

  const byPeer = (purpose: SignaturePurpose, authority: boolean) => (body: Uint8Array) => {
    const sign = authority ? member.signAsAuthority : member.signAsPeer;
    assert.ok(sign !== undefined);
    return Signed.encode({ body, signature: sign(purpose, body), publicKey: new Uint8Array(0), links: [] }).finish();
  };

  it('network', () => {
    assert.ok(member.signAsAuthority !== undefined);
    const terms = { name: 'home', tolerate: 1, authorities: [peer] };
    const right = writeNetwork(terms, member.network, { ...issue, sign: member.signAsAuthority });
    fuzzSigned(networkKind(member).open, right, byPeer('network', true));
  });

  it('peer', () => {
    const right = writePeer(profileOf(member), member.network, { ...issue, sign: member.signAsPeer });
    fuzzSigned(peerKind(member).open, right, byPeer('peer', false));
  });

  it('peer-state', () => {
    assert.ok(member.signAsAuthority !== undefined);
    const sign = member.signAsAuthority;
    const right = writePeerState({ peer, state: 'draining' }, member.network, { ...issue, sign });
    fuzzSigned(peerStateKind(member).open, right, byPeer('peerState', true));
  });

  it('home', () => {
    const right = writeHome({ user, peer, gone: false, generation: 1 }, { ...issue, by });
    fuzzSigned(homeKind.open, right, (body) => sealSigned('home', body, by));
  });

  it('user', () => {
    const wrap = { memoryKib: 65_536, passes: 3, lanes: 1, salt: randomBytes(16), sealed: randomBytes(80) };
    const fields = { owner: user, name: 'ada', version: 1, generation: 1, former: [], createdMs: 1 };
    const right = writeUser({ ...fields, sharingKey: randomBytes(32), wrap }, by);
    fuzzSigned(readUser, right, (body) => sealSigned('userDocument', body, by));
  });

  it('forget', () => {
    const right = Buffer.from(writeForgotten(stripe, { owner: user, issuedMs: 1, by }), 'base64');
    const open = (signed: Uint8Array): unknown =>
      forgottenBy(stripe, { _id: 'x', forgotten: Buffer.from(signed).toString('base64') });
    fuzzSigned(open, right, (body) => sealSigned('forget', body, by));
  });

  it('change, extents and state: their plaintexts', () => {
    const { rootKey, user: owner, documents } = readCatalogVectors();
    const vectorKeys = deriveUserKeys(Buffer.from(rootKey, 'hex'));
    const decoders = { change: decodeChange, extents: readExtentList, state: decodeState };
    const seen = new Set<string>();
    for (const document of documents) {
      const type = document['type'] as keyof typeof decoders;
      const { plain } = readSealed(document, { type, user: parseUserId(owner) }, vectorKeys);
      const decode = decoders[type];
      assert.ok(decode(plain), CATALOG_VECTORS);
      const bytes = seen.has(type) ? spoilt(plain) : fc.oneof(noise, spoilt(plain));
      seen.add(type);
      fc.assert(
        fc.property(bytes, (input) => survives(() => decode(input))),
        { numRuns: plain.length > 5000 ? 20 : 200 },
      );
    }
    assert.deepEqual([...seen].toSorted(), ['change', 'extents', 'state']);
  });
});

describe('documents that a database serves', () => {
  const right = writeSealed({ type: 'change', user, peer, counter: 1 }, new Uint8Array(20), keys);
  const junk = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('', 'AAAA', -1, 2 ** 53, 1e308, null));
  const names = ['_id', 'type', 'format', 'user', 'peer', 'counter', 'sealed', 'signature', 'signed', 'forgotten'];
  const more = [...names, 'owner', 'label', 'peers', 'placement', 'receipt'];
  const document = fc.dictionary(fc.constantFrom(...more), junk, { maxKeys: 6 }).map((fields): Document => ({
    ...right,
    ...fields,
    _id: typeof fields['_id'] === 'string' ? fields['_id'] : right._id,
  }));

  it('of any fields are read or refused', () => {
    const members = new Map();
    const readers: readonly ((document: Document) => unknown)[] = [
      (found) => readSealed(found, { type: 'change', user }, keys),
      (found) => signedOf(found, 'record'),
      (found) => readStripe(stripe, { ...found, _id: stripeDocumentId(stripe), type: 'stripe', format: 1 }),
      (found) => forgottenBy(stripe, found),
    ];
    for (const read of readers)
      fc.assert(
        fc.property(document, (found) => survives(() => read(found))),
        RUNS,
      );
    const known = { id: stripe, owner: user, k: 2, m: 1, bytes: 1, chunkBytes: 1, chunks: [], placement: [] };
    const record = { ...known, label: new Uint8Array(0) };
    fc.assert(
      fc.property(fc.array(document, { maxLength: 3 }), (found) => survives(() => mergeMoves(record, found, members))),
      RUNS,
    );
  });
});
