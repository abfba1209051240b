import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parsePlace, placeUrl } from './location.js';

describe('the addresses of pages', () => {
  test('say which page and what it shows', () => {
    assert.deepEqual(parsePlace('/files', '?path=%2Fa+b%2F%C3%BC.txt&view=1'), {
      page: 'files',
      query: { path: '/a b/ü.txt', view: '1' },
    });
    assert.deepEqual(parsePlace('/', ''), { page: '', query: {} });
    assert.deepEqual(parsePlace('/network/', ''), { page: 'network', query: {} });
  });

  test('come back as they were', () => {
    const query = { path: '/a&b=c/ü?#.txt', view: 'x' };
    const url = new URL(placeUrl('files', query), 'http://localhost');
    assert.deepEqual(parsePlace(url.pathname, url.search), { page: 'files', query });
  });

  test('leave out what is not there', () => {
    assert.equal(placeUrl('files', { path: undefined, view: '' }), '/files');
  });

  test('hold a path in the query, where a dot does not look like that of a file of the server', () => {
    assert.ok(!new URL(placeUrl('files', { path: '/film.mp4' }), 'http://localhost').pathname.includes('.'));
  });
});
