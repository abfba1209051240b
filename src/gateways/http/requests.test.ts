import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { MAX_EXPORT_ITEMS, MAX_PATH_BYTES } from '../../limits.js';
import { check, rangeOf, REQUESTS } from './requests.js';

describe('rangeOf', () => {
  it('is the whole file without a header', () => {
    assert.equal(rangeOf(undefined, 10), undefined);
  });

  it('reads first and last, an open end, and the last bytes', () => {
    assert.deepEqual(rangeOf('bytes=0-0', 10), { from: 0, to: 1 });
    assert.deepEqual(rangeOf('bytes=2-5', 10), { from: 2, to: 6 });
    assert.deepEqual(rangeOf('bytes=2-', 10), { from: 2, to: 10 });
    assert.deepEqual(rangeOf('bytes=-3', 10), { from: 7, to: 10 });
    assert.deepEqual(rangeOf('bytes=5-100', 10), { from: 5, to: 10 });
    assert.deepEqual(rangeOf('bytes=-100', 10), { from: 0, to: 10 });
    assert.deepEqual(rangeOf(' bytes=9-9 ', 10), { from: 9, to: 10 });
  });

  it('refuses what is not one range within the file', () => {
    const wrong = [
      'bytes=',
      'bytes=-',
      'bytes=10-',
      'bytes=5-4',
      'bytes=-0',
      'bytes=0-1,3-4',
      'lines=0-1',
      'bytes=a-b',
      '0-1',
    ];
    for (const header of [...wrong, 'bytes=99999999999999999999-', 'bytes=1.5-2', 'bytes=0x1-2']) {
      assert.throws(() => rangeOf(header, 10), { code: 'INVALID_ARGUMENT', message: /10 bytes/ }, header);
    }
    assert.throws(() => rangeOf('bytes=0-', 0), { code: 'INVALID_ARGUMENT' });
  });

  it('is within the file, whatever it is', () => {
    const header = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.option(fc.nat(), { nil: '' }), fc.option(fc.nat(), { nil: '' }))
        .map((ends) => `bytes=${ends.join('-')}`),
    );
    fc.assert(
      fc.property(header, fc.nat({ max: 2 ** 31 }), (text, size) => {
        try {
          const range = rangeOf(text, size);
          assert.ok(range !== undefined && range.from >= 0 && range.from < range.to && range.to <= size);
        } catch (error) {
          assert.equal((error as { code?: string }).code, 'INVALID_ARGUMENT');
        }
      }),
    );
  });
});

describe('check', () => {
  it('names the field that is wrong', () => {
    assert.throws(() => check(REQUESTS.move, { from: '/a', to: 5 }), {
      code: 'INVALID_ARGUMENT',
      message: /wrong "to"/,
    });
    const items = [{ path: '/a' }, { path: '' }];
    const request = { staging: '/s', proof: 'x'.repeat(16), items };
    assert.throws(() => check(REQUESTS.export, request), { message: /wrong "items\.1\.path"/ });
  });

  it('refuses fields that nobody knows, and what is no object', () => {
    for (const value of [{ path: '/a', recursiv: 'true' }, null, undefined, 'x', []]) {
      assert.throws(() => check(REQUESTS.tree, value), { code: 'INVALID_ARGUMENT' });
    }
  });

  it('reads flags, times and modes from a query', () => {
    const plain = { path: '/a', recursive: false, offset: 0, descending: false };
    assert.deepEqual(check(REQUESTS.tree, { path: '/a', recursive: 'true' }), { ...plain, recursive: true });
    assert.deepEqual(check(REQUESTS.tree, { path: '/a' }), plain);
    assert.throws(() => check(REQUESTS.tree, { path: '/a', recursive: 'yes' }), { code: 'INVALID_ARGUMENT' });
    const upload = { path: '/a', modified: '1700000000000.5', mode: '420' };
    assert.deepEqual(check(REQUESTS.upload, upload), { path: '/a', modified: 1_700_000_000_000.5, mode: 0o644 });
    for (const wrong of [
      { modified: 'now' },
      { modified: '9e15' },
      { modified: '-9e15' },
      { mode: '4096' },
      { mode: '1.5' },
    ]) {
      assert.throws(() => check(REQUESTS.upload, { path: '/a', ...wrong }), { code: 'INVALID_ARGUMENT' });
    }
  });

  it('refuses a version that is no id', () => {
    assert.equal(check(REQUESTS.file, { path: '/a', version: 'ab'.repeat(16) }).version, 'ab'.repeat(16));
    assert.throws(() => check(REQUESTS.file, { path: '/a', version: 'newest' }), { code: 'INVALID_ARGUMENT' });
  });

  it('bounds paths and lists', () => {
    assert.throws(() => check(REQUESTS.path, { path: '/'.padEnd(MAX_PATH_BYTES + 1, 'x') }), {
      code: 'INVALID_ARGUMENT',
    });
    const items = Array.from({ length: MAX_EXPORT_ITEMS + 1 }, () => ({ path: '/a' }));
    assert.throws(() => check(REQUESTS.export, { staging: '/s', proof: 'x'.repeat(16), items }), {
      code: 'INVALID_ARGUMENT',
    });
  });
});
