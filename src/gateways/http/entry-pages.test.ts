import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry } from '../../catalog/catalog.js';
import { matching, pageOf } from './entry-pages.js';

const file = (path: string, bytes = 0): Entry => ({ path, type: 'file', bytes, modifiedMs: bytes, mode: 0 });
const folder = (path: string): Entry => ({ ...file(path), type: 'folder' });
const names = (entries: readonly Entry[]): string[] => entries.map(({ path }) => path.slice(1));

describe('pageOf', () => {
  const entries = [file('/10', 3), file('/2', 5), file('/B', 4), file('/a', 4), folder('/z')];

  it('leaves the order alone where none is asked for', () => {
    assert.deepEqual(names(pageOf(entries, { offset: 1, limit: 2, descending: false })), ['2', 'B']);
    assert.equal(pageOf(entries, { offset: 0, descending: false }).length, 5);
  });

  it('sorts as people do, folders first', () => {
    const sorted = (order: 'name' | 'bytes', descending: boolean): string[] =>
      names(pageOf(entries, { offset: 0, order, descending }));
    assert.deepEqual(sorted('name', false), ['z', '2', '10', 'a', 'B']);
    assert.deepEqual(sorted('name', true), ['z', 'B', 'a', '10', '2']);
    assert.deepEqual(sorted('bytes', false), ['z', '10', 'a', 'B', '2']);
  });
});

describe('matching', () => {
  const entries = [file('/Über uns.txt'), file('/cafe\u0301/menu'), file('/x/CAFÉ'), file('/a b c')];

  it('looks for all words in the name, however they are written', () => {
    assert.deepEqual(names(matching(entries, 'UBER', 10)), ['Über uns.txt']);
    assert.deepEqual(names(matching(entries, 'café', 10)), ['x/CAFÉ']);
    assert.deepEqual(names(matching(entries, ' c  a ', 10)), ['x/CAFÉ', 'a b c']);
    assert.equal(matching(entries, 'u', 1).length, 1);
    assert.deepEqual(matching(entries, '.*', 10), []);
  });
});
