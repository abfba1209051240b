import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rotatedAccount, sampleAccount, samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { idBytes } from '../../chunk/ids.js';
import { sealSigned } from '../../chunk/signed.js';
import { deriveUserKeys } from '../../crypto/root-key.js';
import { StorageError, type ErrorCode } from '../../errors.js';
import { Signed, UserBody } from '../../gen/shoal/v1/format.js';
import { MAX_KEY_GENERATIONS, MAX_USER_DOCUMENT_BYTES } from '../../limits.js';
import { isSuccessor, readUser, userCounter, type UserFields, writeUser } from './user-document.js';

const ann = sampleUser();
const eve = sampleUser();
const wrap = { memoryKib: 65536, passes: 3, lanes: 1, salt: new Uint8Array(16), sealed: new Uint8Array(80) };
const keys = ann.keys();
const versions = { version: 1, generation: 1, former: [] };
const body = { owner: ann.id, name: 'ann', ...versions, sharingKey: keys.sharing.publicKey, wrap, createdMs: 5 };
const signed = writeUser(body, keys.signing);

function refuses(bytes: Uint8Array, ...codes: ErrorCode[]): void {
  assert.throws(
    () => readUser(bytes),
    (error) => StorageError.is(error, ...codes),
  );
}

test('a user document is read as it was written', () => {
  const { publicKey, ...read } = readUser(signed);
  assert.deepEqual(
    { owner: read.owner, name: read.name, version: read.version },
    { owner: ann.id, name: 'ann', version: 1 },
  );
  assert.equal(read.wrap.memoryKib, wrap.memoryKib);
  assert.deepEqual(publicKey, keys.signing.publicKey);
});

test('no bit of it can be changed', () => {
  for (let index = 0; index < signed.length; index++) {
    const altered = Uint8Array.from(signed);
    altered[index] = (altered[index] ?? 0) ^ 1;
    assert.throws(
      () => readUser(altered),
      (error) => error instanceof StorageError,
      `byte ${String(index)}`,
    );
  }
});

test("nobody puts their own key, or wrap, under another's id", () => {
  refuses(writeUser(body, eve.keys().signing), 'PERMISSION_DENIED');
  const mine = Signed.decode(signed);
  const theirs = Signed.decode(writeUser({ ...body, owner: eve.id }, eve.keys().signing));
  refuses(Signed.encode({ ...mine, body: theirs.body }).finish(), 'PERMISSION_DENIED');
  refuses(Signed.encode({ ...mine, publicKey: theirs.publicKey }).finish(), 'PERMISSION_DENIED');
});

test('a signature for another purpose is none', () => {
  const raw = {
    ...body,
    former: [],
    sshKeys: [],
    kit: undefined,
    rotatedBy: new Uint8Array(0),
    format: 1,
    owner: idBytes(ann.id),
  };
  refuses(sealSigned('label', UserBody.encode(raw).finish(), keys.signing), 'PERMISSION_DENIED');
});

test('a format from the future, a bad name, nonsense', () => {
  const raw = {
    ...body,
    former: [],
    sshKeys: [],
    kit: undefined,
    rotatedBy: new Uint8Array(0),
    format: 2,
    owner: idBytes(ann.id),
  };
  refuses(sealSigned('userDocument', UserBody.encode(raw).finish(), keys.signing), 'UNSUPPORTED');
  refuses(writeUser({ ...body, name: '../etc' }, keys.signing), 'CORRUPT');
  refuses(writeUser({ ...body, version: 0 }, keys.signing), 'CORRUPT');
  refuses(new Uint8Array(0), 'PERMISSION_DENIED', 'CORRUPT');
  refuses(new Uint8Array(MAX_USER_DOCUMENT_BYTES + 1), 'LIMIT_EXCEEDED');
});

test('passphrase settings below the floor are not even read', () => {
  refuses(writeUser({ ...body, wrap: { ...wrap, memoryKib: 1024 } }, keys.signing), 'PERMISSION_DENIED');
  refuses(writeUser({ ...body, wrap: { ...wrap, passes: 1 } }, keys.signing), 'PERMISSION_DENIED');
  refuses(writeUser({ ...body, wrap: { ...wrap, lanes: 0 } }, keys.signing), 'PERMISSION_DENIED');
});

test('a kit of a version to come, former keys that are missing or out of order', () => {
  const kit = { version: 2, salt: new Uint8Array(16), sealed: new Uint8Array(80) };
  refuses(writeUser({ ...body, kit }, keys.signing), 'CORRUPT');
  assert.equal(readUser(writeUser({ ...body, kit: { ...kit, version: 1 } }, keys.signing)).kit?.version, 1);
  refuses(writeUser({ ...body, former: [{ generation: 1, sealed: new Uint8Array(80) }] }, keys.signing), 'CORRUPT');
});

test('a document of a later generation is read with its chain, by keys of that generation alone', () => {
  const first = sampleAccount();
  const second = rotatedAccount(first, samplePeer(1));
  const third = rotatedAccount(second, samplePeer(2), [first.rootKey]);
  const signerOf = ({ user, rootKey }: typeof first) => {
    return { ...deriveUserKeys(rootKey).signing, publicKey: user.publicKey, links: user.links };
  };
  const bytes = writeUser(third.user, signerOf(third));
  assert.ok(bytes.length < MAX_USER_DOCUMENT_BYTES);
  const read = readUser(bytes);
  assert.deepEqual([read.owner, read.generation, read.links.length], [first.user.owner, 3, 2]);
  assert.equal(read.rotatedBy, samplePeer(2));
  refuses(writeUser(third.user, signerOf(second)), 'PERMISSION_DENIED');
  refuses(writeUser({ ...third.user, generation: 2 }, signerOf(third)), 'CORRUPT', 'PERMISSION_DENIED');
  const [one, two] = third.user.former as [UserFields['former'][number], UserFields['former'][number]];
  refuses(writeUser({ ...third.user, former: [two, one] }, signerOf(third)), 'CORRUPT');
  refuses(writeUser({ ...third.user, former: [one] }, signerOf(third)), 'CORRUPT');

  assert.ok(isSuccessor(third.user, first.user) && isSuccessor(second.user, second.user));
  assert.ok(!isSuccessor(first.user, second.user));
  assert.ok(!isSuccessor(rotatedAccount(first).user, second.user));
  assert.ok(userCounter(second.user) > userCounter({ generation: 1, version: 1_000_000 }));
});

test('the longest chain fits the bound', () => {
  let account = sampleAccount('x'.repeat(64));
  const former: Uint8Array[] = [];
  while (account.user.generation < MAX_KEY_GENERATIONS) {
    const next = rotatedAccount(account, samplePeer(1), [...former]);
    former.push(account.rootKey);
    account = next;
  }
  const { user, rootKey } = account;
  const kit = { version: 1, salt: new Uint8Array(16), sealed: new Uint8Array(80) };
  const signer = { ...deriveUserKeys(rootKey).signing, publicKey: user.publicKey, links: user.links };
  const bytes = writeUser({ ...user, version: 2 ** 32 - 1, kit }, signer);
  assert.equal(readUser(bytes).generation, MAX_KEY_GENERATIONS);
});
