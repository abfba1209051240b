import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hashOf } from '../../src/catalog/view/document-id.js';
import { shown, shownWithPlaces } from '../contract/catalog-view.js';
import { readCatalogVectors, readMovesVectors, readVector, vectorUser } from './catalog-vectors.js';

const vectors = readCatalogVectors();
const rootKey = Buffer.from(vectors.rootKey, 'hex');

for (const [name, { documents, views }, show] of [
  ['catalog', vectors, shown],
  ['moves', readMovesVectors(), shownWithPlaces],
] as const) {
  test(`every view of the ${name} vectors, in both orders`, async () => {
    for (const { what, documents: numbers, isComplete, shown: lines } of views) {
      const chosen = documents.filter((_, index) => numbers.includes(index));
      for (const order of [chosen, [...chosen].reverse()]) {
        const read = await readVector(rootKey, order, show);
        assert.deepEqual(read, { shown: lines, isComplete, refused: 0, readOnly: false }, what);
      }
    }
  });
}

test('the vectors are of the user whose root key they name', () => {
  assert.equal(vectorUser(rootKey), vectors.user);
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
