import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StorageError } from '../errors.js';
import { destinationOf, type Source, type Target } from './destination.js';

const file: Source = { name: 'cat.jpg', type: 'file' };
const folder: Source = { name: 'photos', type: 'folder' };
const contents: Source = { name: '', type: 'folder' };
const stream: Source = { name: '', type: 'stream' };

function target(found: Target['found'], slash: boolean): Target {
  return { path: '/to', folder: slash, found };
}

describe('destinationOf, one source', () => {
  const rules: [string, Source, Target, string][] = [
    ['a file becomes a new name', file, target(undefined, false), '/to'],
    ['a file becomes a new version', file, target('file', false), '/to'],
    ['a file goes into a folder', file, target('folder', false), '/to/cat.jpg'],
    ['a file goes into a folder to be made', file, target(undefined, true), '/to/cat.jpg'],
    ['a folder becomes a new name', folder, target(undefined, false), '/to'],
    ['a folder becomes a new name with a slash', folder, target(undefined, true), '/to'],
    ['a folder goes into a folder', folder, target('folder', false), '/to/photos'],
    ['contents go right into a folder', contents, target('folder', true), '/to'],
    ['a stream becomes a new name', stream, target(undefined, false), '/to'],
  ];
  for (const [what, source, to, expected] of rules) {
    it(what, () => {
      assert.equal(destinationOf(source, to, false), expected);
    });
  }

  it('goes into the root', () => {
    assert.equal(destinationOf(file, { path: '/', folder: true, found: 'folder' }, false), '/cat.jpg');
  });
});

describe('destinationOf refuses', () => {
  const refusals: [string, Source, Target, boolean, 'CONFLICT' | 'INVALID_ARGUMENT'][] = [
    ['a folder over a file', folder, target('file', false), false, 'CONFLICT'],
    ['a file into a file', file, target('file', true), false, 'CONFLICT'],
    ['several over a file', file, target('file', false), true, 'CONFLICT'],
    ['several to a name', file, target(undefined, false), true, 'INVALID_ARGUMENT'],
    ['a stream without a name', stream, target('folder', false), false, 'INVALID_ARGUMENT'],
    ['a stream without a name in a new folder', stream, target(undefined, true), false, 'INVALID_ARGUMENT'],
  ];
  for (const [what, source, to, several, code] of refusals) {
    it(what, () => {
      assert.throws(
        () => destinationOf(source, to, several),
        (error) => StorageError.is(error, code),
      );
    });
  }
});

it('several sources go into a folder to be made', () => {
  assert.equal(destinationOf(file, target(undefined, true), true), '/to/cat.jpg');
  assert.equal(destinationOf(folder, target(undefined, true), true), '/to/photos');
});
