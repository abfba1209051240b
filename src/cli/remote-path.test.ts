import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isName } from '../chunk/path.js';
import { StorageError } from '../errors.js';
import { baseName, joinRemote, nameProblem, parseRemotePath } from './remote-path.js';

describe('parseRemotePath', () => {
  const good: [string, string, boolean][] = [
    ['/', '/', true],
    ['/a', '/a', false],
    ['/a/', '/a', true],
    ['/a/.', '/a', true],
    ['//a//./b', '/a/b', false],
    ['/a b/…/ü', '/a b/…/ü', false],
    ['/.hidden', '/.hidden', false],
  ];
  for (const [text, path, folder] of good) {
    it(`${text} is ${path}`, () => {
      assert.deepEqual(parseRemotePath(text), { path, folder });
    });
  }

  const bad = ['', 'a', './a', '/..', '/a/../b', '/a\nb', '/a\u0000', '/a\u009b31m', `/${'x'.repeat(256)}`];
  for (const text of [...bad, `/${'x/'.repeat(2100)}`]) {
    it(`refuses ${JSON.stringify(text.slice(0, 20))}`, () => {
      assert.throws(
        () => parseRemotePath(text),
        (error) => StorageError.is(error, 'INVALID_ARGUMENT') && !/\p{Cc}/u.test(error.message),
      );
    });
  }

  it('agrees with the catalog on every name', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (name) => {
        assert.equal(nameProblem(name) === undefined, isName(name) && !name.includes('\ufffd'));
      }),
    );
  });
});

it('joins and takes apart', () => {
  assert.equal(joinRemote('/', 'a'), '/a');
  assert.equal(joinRemote('/a', 'b'), '/a/b');
  assert.equal(baseName('/a/b'), 'b');
  assert.equal(baseName('/'), '');
});
