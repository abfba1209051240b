import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isName } from '../../../src/chunk/path.js';
import { faultOfName, shownName, stemLength } from './names.js';

describe('names', () => {
  test('are refused before the peer would refuse them', () => {
    const bad = [
      '',
      '.',
      '..',
      'a/b',
      'a\u0000',
      'a\u001b[31m',
      'a\u007f',
      'a\u0085',
      '\ud800',
      'ü'.repeat(128),
      'x'.repeat(256),
    ];
    for (const name of bad) {
      assert.notEqual(faultOfName(name), '', JSON.stringify(name));
      assert.equal(isName(name), false, JSON.stringify(name));
    }
  });

  test('are taken in every script', () => {
    for (const name of ['cat.jpg', '日本語 …', '😀', '.hidden', '-rf', 'x'.repeat(255), 'שלום.txt']) {
      assert.equal(faultOfName(name), '', name);
      assert.ok(isName(name), name);
    }
  });

  test('cannot pretend to another ending by turning the direction of the text', () => {
    assert.equal(shownName('photo\u202Egpj.exe'), 'photo\u{fffd}gpj.exe');
    assert.equal(shownName('שלום.txt'), 'שלום.txt');
  });

  test('are edited up to their ending', () => {
    assert.equal(stemLength('cat.jpg'), 3);
    assert.equal(stemLength('.hidden'), 7);
    assert.equal(stemLength('README'), 6);
  });
});
