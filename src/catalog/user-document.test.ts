import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleUser } from '../../test/contract/catalog-users.js';
import { idBytes } from '../chunk/ids.js';
import { sealSigned } from '../chunk/signed.js';
import { StorageError, type ErrorCode } from '../errors.js';
import { Signed, UserBody } from '../gen/shoal/v1/format.js';
import { fromDocument, readUser, toDocument, writeUser } from './user-document.js';

const ann = sampleUser();
const eve = sampleUser();
const wrap = { memoryKib: 65536, passes: 3, lanes: 1, salt: new Uint8Array(16), sealed: new Uint8Array(80) };
const keys = ann.keys();
const body = { owner: ann.id, name: 'ann', version: 1, sharingKey: keys.sharing.publicKey, wrap, createdMs: 5 };
const signed = writeUser(body, keys);

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
  assert.equal(fromDocument(toDocument(ann.id, signed)).user.owner, ann.id);
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
  refuses(writeUser(body, eve.keys()), 'PERMISSION_DENIED');
  const mine = Signed.decode(signed);
  const theirs = Signed.decode(writeUser({ ...body, owner: eve.id }, eve.keys()));
  refuses(Signed.encode({ ...mine, body: theirs.body }).finish(), 'PERMISSION_DENIED');
  refuses(Signed.encode({ ...mine, publicKey: theirs.publicKey }).finish(), 'PERMISSION_DENIED');
  assert.throws(
    () => fromDocument(toDocument(ann.id, writeUser({ ...body, owner: eve.id }, eve.keys()))),
    /another user/,
  );
});

test('a signature for another purpose is none', () => {
  const raw = { ...body, format: 1, owner: idBytes(ann.id) };
  refuses(sealSigned('label', UserBody.encode(raw).finish(), keys.signing), 'PERMISSION_DENIED');
});

test('a format from the future, a bad name, nonsense', () => {
  const raw = { ...body, format: 2, owner: idBytes(ann.id) };
  refuses(sealSigned('userDocument', UserBody.encode(raw).finish(), keys.signing), 'UNSUPPORTED');
  refuses(writeUser({ ...body, name: '../etc' }, keys), 'CORRUPT');
  refuses(writeUser({ ...body, version: 0 }, keys), 'CORRUPT');
  refuses(new Uint8Array(0), 'PERMISSION_DENIED', 'CORRUPT');
  refuses(new Uint8Array(5000), 'LIMIT_EXCEEDED');
});
