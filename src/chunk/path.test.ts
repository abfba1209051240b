import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from '../limits.js';
import { isName, isNormalPath } from './path.js';

test('a normal path is absolute and has only plain names', () => {
  const longest = `/${'a'.repeat(MAX_NAME_BYTES)}`.repeat(16);
  assert.equal(longest.length, MAX_PATH_BYTES);
  for (const path of ['/a', '/a/b.c', '/ä/日本 …/😀', '/...', '/.hidden', '/a\\b', longest]) {
    assert.ok(isNormalPath(path), path);
  }
});

test('anything that another system could read differently is not', () => {
  const long = 'é'.repeat(MAX_NAME_BYTES / 2 + 1);
  for (const path of ['', '/', 'a', '/a/', '//a', '/a//b', '/.', '/a/..', '/../a', '/a/./b', `/${long}`]) {
    assert.equal(isNormalPath(path), false, path);
  }
  for (const unfit of ['\u0000', '\n', '\u001b', '\u007f', '\u0085', '\ud800']) {
    assert.equal(isNormalPath(`/a${unfit}b`), false);
  }
  assert.equal(isNormalPath(`${`/${'a'.repeat(MAX_NAME_BYTES)}`.repeat(16)}/a`), false);
  assert.equal(isName('a/b'), false);
});
