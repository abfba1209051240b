import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { endingOf, isWithin, joinPath, nameOf, parentOf, trail } from './paths.js';

describe('paths', () => {
  test('come apart and together again', () => {
    for (const path of ['/a', '/a/b', '/ü b/c.d/…']) assert.equal(joinPath(parentOf(path), nameOf(path)), path);
    assert.equal(parentOf('/a'), '/');
    assert.equal(parentOf('/'), '/');
  });

  test('lie within folders, not within names that begin alike', () => {
    assert.ok(isWithin('/a/b', '/a') && isWithin('/a', '/a') && isWithin('/a', '/'));
    assert.ok(!isWithin('/ab', '/a') && !isWithin('/a', '/a/b'));
  });

  test('lead from the root down', () => {
    assert.deepEqual(trail('/'), [{ name: '', path: '/' }]);
    assert.deepEqual(
      trail('/a/b').map(({ path }) => path),
      ['/', '/a', '/a/b'],
    );
  });

  test('have endings', () => {
    assert.equal(endingOf('/a.b/Film.MP4'), 'mp4');
    assert.equal(endingOf('/a.b/film'), '');
    assert.equal(endingOf('/.hidden'), '');
  });
});
