import assert from 'node:assert/strict';
import { test } from 'node:test';
import { conflictName } from './conflict-name.js';
import { parsePath } from '../path.js';

const peer = '0123456789abcdef'.repeat(4);
const origin = { changedMs: Date.UTC(2026, 10, 22, 23, 59), peer, peerName: 'attic' };
const LONGEST = ['x'.repeat(255), 'ü'.repeat(127), `${'x'.repeat(251)}.jpg`, `a.${'b'.repeat(253)}`, '🐠'.repeat(63)];

test('the mark stands before the extension', () => {
  const mark = '(conflict 2026-11-22 attic)';
  assert.equal(conflictName('cat.jpg', origin, 1), `cat ${mark}.jpg`);
  assert.equal(conflictName('archive.tar.gz', origin, 1), `archive.tar ${mark}.gz`);
  assert.equal(conflictName('README', origin, 1), `README ${mark}`);
  assert.equal(conflictName('.profile', origin, 1), `.profile ${mark}`);
  assert.equal(conflictName('cat.jpg', origin, 2), 'cat (conflict 2026-11-22 attic 2).jpg');
});

test('the longest names stay names', () => {
  for (const name of LONGEST) {
    const conflict = conflictName(name, origin, 12);
    assert.deepEqual(parsePath(`/${conflict}`), [conflict]);
    assert.match(conflict, /\(conflict 2026-11-22 attic 12\)/);
  }
});

test('whatever a peer is called and its clock says, the name is one', () => {
  for (const peerName of ['', 'a/b', 'line\nbreak', '\ud800', 'ü'.repeat(32), '../..']) {
    for (const changedMs of [0, Number.MAX_SAFE_INTEGER]) {
      const conflict = conflictName('cat.jpg', { changedMs, peer, peerName }, 1);
      assert.deepEqual(parsePath(`/${conflict}`), [conflict]);
    }
  }
  assert.equal(conflictName('a', { ...origin, peerName: '\n' }, 1), 'a (conflict 2026-11-22 01234567)');
});
