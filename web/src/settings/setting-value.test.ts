import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsed, shown, typed } from './setting-value.js';

describe('settings', () => {
  it('are shown as people read them', () => {
    assert.deepEqual(
      [null, '', [], ['a', 'b'], 5, false, { url: 'x' }].map((value) => shown(value, '–')),
      ['–', '–', '–', 'a, b', '5', 'false', '{"url":"x"}'],
    );
  });

  it('come back from a field as what they were', () => {
    for (const value of ['127.0.0.1:8484', '8484', 5, ['front', 'pouchdb'], { url: 'x' }, true]) {
      assert.deepEqual(parsed(typed(value), value), value);
    }
  });

  it('take a list by commas, nothing for the default, and anything where nothing was', () => {
    assert.deepEqual(parsed('a, b', []), ['a', 'b']);
    assert.equal(parsed('  ', 5), null);
    assert.equal(parsed('1000', null), 1000);
    assert.equal(parsed('nas.example:8485', null), 'nas.example:8485');
  });
});
