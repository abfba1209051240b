import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '../../src/catalog/view/document-id.js';
import { readCatalogVectors, readVector, vectorUser } from './catalog-vectors.js';

const vectors = readCatalogVectors();
const rootKey = Buffer.from(vectors.rootKey, 'hex');

test('every view of the catalog vectors, in both orders', async () => {
  assert.equal(vectorUser(rootKey), vectors.user);
  for (const { what, documents, isComplete, shown } of vectors.views) {
    const chosen = vectors.documents.filter((_, index) => documents.includes(index));
    for (const order of [chosen, [...chosen].reverse()]) {
      const read = await readVector(rootKey, order);
      assert.deepEqual(read, { shown, isComplete, refused: 0, readOnly: false }, what);
    }
  }
});

test('every bad document of the catalog vectors is left out, and hides no other', async () => {
  const whole = vectors.views.find(({ what }) => what === 'the changes');
  assert.ok(whole !== undefined && vectors.bad.length > 0);
  const changes = vectors.documents.filter((_, index) => whole.documents.includes(index));
  for (const { what, document, readOnly } of vectors.bad) {
    const others = changes.filter(({ _id }) => hashOf(_id) !== hashOf(document._id));
    const expected = await readVector(rootKey, others);
    assert.deepEqual(await readVector(rootKey, [...others, document]), { ...expected, refused: 1, readOnly }, what);
  }
});
