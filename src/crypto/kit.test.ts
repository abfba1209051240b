import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { toHex } from '../bytes.js';
import { type ErrorCode, StorageError } from '../errors.js';
import { MAX_KIT_TEXT_CHARS } from '../limits.js';
import { KIT_WORDS, kitSecret, newKitWords, unwrapWithKit, wrapUnderKit } from './kit.js';
import { newRootKey } from './root-key.js';

const user = 'ab'.repeat(32);
const rootKey = newRootKey();
const words = newKitWords();
const text = words.join(' ');
const wrap = wrapUnderKit(text, rootKey, { user, version: 7 });

function refused(run: () => unknown, code: ErrorCode, message?: RegExp): void {
  assert.throws(run, (error) => StorageError.is(error, code) && (message === undefined || message.test(error.message)));
}

describe('the words of a recovery kit', () => {
  test('are 24, fresh, and stand for 32 bytes', () => {
    assert.equal(words.length, KIT_WORDS);
    assert.equal(kitSecret(text).length, 32);
    assert.notDeepEqual(newKitWords(), words);
  });

  test('are those of BIP-39', () => {
    // The first test vector of 256 bits in the reference implementation of BIP-39.
    const zeros = `${'abandon '.repeat(23)}art`;
    assert.equal(toHex(kitSecret(zeros)), '00'.repeat(32));
  });

  test('are read however they are typed', () => {
    const secret = kitSecret(text);
    assert.deepEqual(kitSecret(`  ${text.toUpperCase()}\r\n`), secret);
    assert.deepEqual(kitSecret(words.map((word, index) => `${String(index + 1)}. ${word}`).join('\n')), secret);
    assert.deepEqual(kitSecret(words.join(', ')), secret);
    const rows = Array.from({ length: 6 }, (_, row) =>
      [0, 1, 2, 3].map((column) => `${String(column * 6 + row + 1)}. ${words[column * 6 + row] ?? ''}`).join('   '),
    );
    assert.deepEqual(kitSecret(`Made 2026-11-22 10:00\n${rows.join('\n')}\nKeep this page.`), secret, 'the page');
  });

  test('with a mistake are told what it is', () => {
    refused(() => kitSecret(words.slice(1).join(' ')), 'INVALID_ARGUMENT', /24 words; these are 23/);
    refused(() => kitSecret(''), 'INVALID_ARGUMENT', /these are 0/);
    refused(() => kitSecret('a '.repeat(MAX_KIT_TEXT_CHARS)), 'INVALID_ARGUMENT', /more/);
    refused(
      () => kitSecret([...words.slice(0, 2), 'abandom', ...words.slice(3)].join(' ')),
      'INVALID_ARGUMENT',
      /Word 3 .*"abandom"/,
    );
    const art = `${'abandon '.repeat(23)}abandon`;
    refused(() => kitSecret(art), 'INVALID_ARGUMENT', /checksum/);
  });
});

describe('a root key under a recovery kit', () => {
  test('opens with the words, for its user', () => {
    assert.deepEqual(unwrapWithKit(text, wrap, user), Buffer.from(rootKey));
  });

  test('opens with no other words, for no other user, as no other version', () => {
    refused(() => unwrapWithKit(newKitWords().join(' '), wrap, user), 'UNAUTHENTICATED');
    refused(() => unwrapWithKit(text, wrap, 'cd'.repeat(32)), 'UNAUTHENTICATED');
    refused(() => unwrapWithKit(text, { ...wrap, version: 6 }, user), 'UNAUTHENTICATED');
    refused(() => unwrapWithKit(text, { ...wrap, version: 0 }, user), 'CORRUPT');
  });

  test('does not open when a byte of it was changed', () => {
    for (const field of ['salt', 'sealed'] as const) {
      for (const at of [0, wrap[field].length - 1]) {
        const bytes = Uint8Array.from(wrap[field]);
        bytes[at] = (bytes[at] ?? 0) ^ 1;
        refused(() => unwrapWithKit(text, { ...wrap, [field]: bytes }, user), 'UNAUTHENTICATED');
      }
      refused(() => unwrapWithKit(text, { ...wrap, [field]: wrap[field].subarray(1) }, user), 'CORRUPT');
    }
  });
});
