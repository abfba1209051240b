import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MemoryDocuments } from '../../../test/contract/memory-documents.js';
import { openUserCatalog, samplePeer, sampleUser } from '../../../test/contract/catalog-users.js';
import { sampleVersion } from '../../../test/contract/catalog-samples.js';
import { utf8 } from '../../bytes.js';
import { StorageError, type ErrorCode } from '../../errors.js';
import type { Logger } from '../../log.js';
import type { Document } from '../../documents/document-database.js';
import { readSealed, type SealedFields, writeSealed } from './sealed-document.js';

const user = sampleUser();
const stranger = sampleUser();
const fields: SealedFields = { type: 'change', user: user.id, peer: samplePeer(1), counter: 7 };
const expected = { type: 'change', user: user.id } as const;
const plain = utf8('a change');

function text(document: Document, field: string): string {
  const value = document[field];
  assert.ok(typeof value === 'string');
  return value;
}

function flip(base64: string, at = 40): string {
  const bytes = Buffer.from(base64, 'base64');
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at);
  return bytes.toString('base64');
}

const good = writeSealed(fields, plain, user.keys());
const other = writeSealed({ ...fields, counter: 8 }, utf8('another change'), user.keys());
const foreign = writeSealed({ ...fields, user: stranger.id }, plain, stranger.keys());

/** Everything that somebody with write access to the database can try, without the user's keys. */
const attacks: readonly (readonly [name: string, document: Document, code: ErrorCode])[] = [
  ['a flipped bit of the sealed part', { ...good, sealed: flip(text(good, 'sealed')) }, 'CORRUPT'],
  ['a cut sealed part', { ...good, sealed: text(good, 'sealed').slice(0, -8) }, 'CORRUPT'],
  ['another sealed part', { ...good, sealed: other['sealed'] }, 'CORRUPT'],
  ['a flipped bit of the signature', { ...good, signature: flip(text(good, 'signature')) }, 'CORRUPT'],
  ['the signature of another document', { ...good, signature: other['signature'] }, 'CORRUPT'],
  ['the signature of another user', { ...good, signature: foreign['signature'] }, 'CORRUPT'],
  ['no signature', { ...good, signature: '' }, 'CORRUPT'],
  ['another peer', { ...good, peer: samplePeer(2) }, 'CORRUPT'],
  ['another counter', { ...good, counter: 8 }, 'CORRUPT'],
  ['a counter from the end of time', { ...good, counter: 2 ** 53 }, 'CORRUPT'],
  ['a negative counter', { ...good, counter: -1 }, 'CORRUPT'],
  ['another user in the plain fields', { ...good, user: stranger.id }, 'CORRUPT'],
  ['a document of another user', foreign, 'CORRUPT'],
  ['a document of another user that claims to be of this one', { ...foreign, user: user.id }, 'CORRUPT'],
  ['another type', { ...good, type: 'extents' }, 'CORRUPT'],
  ['a copy under another id', { ...good, _id: `change-${'0'.repeat(64)}` }, 'CORRUPT'],
  ['a copy under the id of another document', { ...good, _id: other._id }, 'CORRUPT'],
  ['a format from the future that nobody signed', { ...good, format: 2 }, 'CORRUPT'],
  ['a format that is no number of 32 bits', { ...good, format: 2 ** 32 }, 'CORRUPT'],
  ['no format', { ...good, format: undefined }, 'CORRUPT'],
  ['a huge sealed part', { ...good, sealed: 'A'.repeat(2_000_000) }, 'CORRUPT'],
  ['fields of other shapes', { ...good, sealed: 7, signature: {}, peer: [], counter: '7' }, 'CORRUPT'],
  ['nothing but an id', { _id: good._id }, 'CORRUPT'],
];

test('a document is read as it was written', () => {
  const read = readSealed(good, expected, user.keys());
  assert.deepEqual(Buffer.from(read.plain), Buffer.from(plain));
  assert.deepEqual(
    { id: read.id, peer: read.peer, counter: read.counter },
    { id: good._id, peer: samplePeer(1), counter: 7 },
  );
});

for (const [name, document, code] of attacks) {
  test(`refused: ${name}`, () => {
    assert.throws(
      () => readSealed(document, expected, user.keys()),
      (error) => StorageError.is(error, code),
    );
  });
}

test('an extents document is no change, whoever says so', () => {
  const extents = writeSealed({ ...fields, type: 'extents' }, plain, user.keys());
  assert.throws(() => readSealed(extents, expected, user.keys()));
  assert.throws(() => readSealed({ ...extents, type: 'change' }, expected, user.keys()));
});

test('a refused document is reported by its id, and everything else is read', async () => {
  const documents = new MemoryDocuments();
  const writer = await openUserCatalog(user, documents);
  await writer.commit([sampleVersion('/good')]);
  const ours = new Set(documents.documents.keys());
  await writer.commit([sampleVersion('/hit')]);
  const hit = [...documents.documents.values()].find(({ _id }) => !ours.has(_id));
  assert.ok(hit !== undefined);

  for (const [index, [, attack]] of attacks.entries()) {
    await documents.put([{ ...attack, _id: `change-${String(index).padStart(64, 'f')}` }]);
  }
  documents.documents.set(hit._id, { ...hit, sealed: flip(text(hit, 'sealed')) });

  const reported = new Set<string>();
  const note = ({ document }: { document: string }): void => {
    reported.add(document);
  };
  const reader = await openUserCatalog(user, documents, { logger: { warn: note } as unknown as Logger });
  assert.deepEqual(
    reader.list('/', true).map(({ path }) => path),
    ['/good'],
  );
  assert.equal(reported.size, attacks.length + 1);
  assert.ok(reported.has(hit._id));
  await reader.commit([sampleVersion('/more')]);
  assert.deepEqual(
    reader.list('/', true).map(({ path }) => path),
    ['/good', '/more'],
  );
});
