import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StorageError } from '../../errors.js';
import { demandGoodName, folderOf, nameOf, resolvePath } from './client-path.js';

test('paths are resolved as clients expect', () => {
  const paths = [
    ['', '/'],
    ['.', '/'],
    ['/', '/'],
    ['~', '/'],
    ['~/a', '/a'],
    ['~ann', '/~ann'],
    ['a', '/a'],
    ['a//b/', '/a/b'],
    ['/a/./b/../c', '/a/c'],
    ['/../../etc/passwd', '/etc/passwd'],
    ['cafe\u0301', '/caf\u00e9'],
  ] as const;
  for (const [path, resolved] of paths) assert.equal(resolvePath(path), resolved, path);
  assert.deepEqual([folderOf('/a'), folderOf('/a/b'), nameOf('/a/b')], ['/', '/a', 'b']);
});

test('whatever comes, it is a path below the root or refused', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (path) => {
      try {
        const resolved = resolvePath(path);
        assert.ok(resolved.startsWith('/') && !resolved.split('/').includes('..'));
        assert.equal(resolvePath(resolved), resolved);
      } catch (error) {
        assert.ok(StorageError.is(error, 'INVALID_ARGUMENT'), String(error));
      }
    }),
  );
});

test('names that read otherwise than they are written are not made', () => {
  for (const name of ['/photo\u202egpj.exe', '/\u2067x']) {
    assert.throws(
      () => {
        demandGoodName(name);
      },
      (error) => StorageError.is(error, 'INVALID_ARGUMENT'),
    );
  }
  demandGoodName('/שלום');
  demandGoodName('/\u202e/seen/in/a/folder/that/is/there');
});
