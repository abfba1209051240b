import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isName } from '../chunk/path.js';
import { StorageError } from '../errors.js';
import { formatPath, joinPath, parsePath } from './path.js';

test('good paths', () => {
  assert.deepEqual(parsePath('/'), []);
  assert.deepEqual(parsePath('/a'), ['a']);
  assert.deepEqual(parsePath('/a/b c/…/.hidden/-rf'), ['a', 'b c', '…', '.hidden', '-rf']);
  assert.deepEqual(parsePath('/photos/'), ['photos']);
  assert.deepEqual(parsePath(`/${'x'.repeat(255)}`), ['x'.repeat(255)]);
  assert.deepEqual(parsePath('/\u{1f420}'), ['\u{1f420}']);
});

test('names are brought into one Unicode form', () => {
  assert.deepEqual(parsePath('/cafe\u0301'), ['caf\u00e9']);
  // NFC makes some text longer: what counts is what is stored.
  assert.throws(() => parsePath(`/${'\u{1d15e}'.repeat(60)}`), /longer than 255 bytes/);
});

test('bad paths say what is wrong with them', () => {
  const bad: [path: string, reason: RegExp][] = [
    ['', /begin with/],
    ['a/b', /begin with/],
    ['//', /empty/],
    ['/a//b', /empty/],
    ['/a//', /empty/],
    ['/..', /"\.\."/],
    ['/a/./b', /"\."/],
    ['/a\0', /control/],
    ['/\x1b[31m', /control/],
    ['/\x7f', /control/],
    ['/\x85', /control/],
    ['/\u2028', /control/],
    ['/\u2029', /control/],
    ['/\ud800', /Unicode/],
    ['/\udc00\ud800', /Unicode/],
    [`/${'ü'.repeat(128)}`, /255 bytes/],
    [`/${'abc/'.repeat(1100)}x`, /4096 bytes/],
  ];
  for (const [path, reason] of bad) {
    assert.throws(
      () => parsePath(path),
      (error) => StorageError.is(error, 'INVALID_ARGUMENT') && reason.test(error.message),
      JSON.stringify(path),
    );
  }
});

test('whatever is accepted is normal, and fit for a stripe directory', () => {
  const text = fc.string({
    unit: fc.constantFrom('/', '.', 'a', 'e\u0301', '\n', '\u{1f420}', '\ud800'),
    maxLength: 12,
  });
  fc.assert(
    fc.property(text, (tail) => {
      let names: readonly string[];
      try {
        names = parsePath(`/${tail}`);
      } catch (error) {
        assert.ok(StorageError.is(error, 'INVALID_ARGUMENT'));
        return;
      }
      assert.deepEqual(parsePath(formatPath(names)), names);
      assert.ok(names.every(isName));
    }),
  );
});

test('joining', () => {
  assert.equal(joinPath('/', 'a'), '/a');
  assert.equal(joinPath('/a', 'b'), '/a/b');
});
