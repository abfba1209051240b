import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflictName } from './conflict-name.js';
import { parsePath } from './path.js';

const id = '0123456789abcdef0123456789abcdef';

test('the mark stands before the extension', () => {
  assert.equal(conflictName('cat.jpg', id), 'cat (conflict 01234567).jpg');
  assert.equal(conflictName('archive.tar.gz', id), 'archive.tar (conflict 01234567).gz');
  assert.equal(conflictName('README', id), 'README (conflict 01234567)');
  assert.equal(conflictName('.profile', id), '.profile (conflict 01234567)');
});

test('the longest names stay names', () => {
  for (const name of [
    'x'.repeat(255),
    'ü'.repeat(127),
    `${'x'.repeat(251)}.jpg`,
    `a.${'b'.repeat(253)}`,
    '🐠'.repeat(63),
  ]) {
    const conflict = conflictName(name, id);
    assert.deepEqual(parsePath(`/${conflict}`), [conflict]);
    assert.match(conflict, /\(conflict 01234567\)/);
  }
});
