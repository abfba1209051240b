import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { concatBytes, equalBytes, fromHex, toHex, u32, u64, utf8 } from './bytes.js';

const bytes = fc.uint8Array({ maxLength: 64 });

describe('hex', () => {
  test('round-trips', () => {
    fc.assert(fc.property(bytes, (value) => assert.deepEqual(fromHex(toHex(value), value.length), value)));
  });

  test('writes only the bytes of a view, not of its buffer', () => {
    assert.equal(toHex(Uint8Array.of(1, 0xab, 0xcd, 2).subarray(1, 3)), 'abcd');
  });

  test('refuses other lengths, upper case and other characters', () => {
    for (const text of ['', 'ab', 'abcdef', 'ABCD', 'abxd', 'abc ', 'abc\n', '٠٠٠٠']) {
      assert.equal(fromHex(text, 2), undefined, JSON.stringify(text));
    }
  });
});

describe('concatBytes', () => {
  test('keeps every byte in order and copies', () => {
    fc.assert(
      fc.property(fc.array(bytes), (parts) => {
        assert.deepEqual(
          [...concatBytes(...parts)],
          parts.flatMap((part) => [...part]),
        );
      }),
    );
    const part = Uint8Array.of(1, 2);
    const joined = concatBytes(part);
    part.fill(9);
    assert.deepEqual(joined, Uint8Array.of(1, 2));
  });
});

describe('equalBytes', () => {
  test('compares content and length', () => {
    assert.ok(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)));
    assert.ok(equalBytes(new Uint8Array(), new Uint8Array()));
    assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)));
    assert.ok(!equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0)));
  });
});

describe('numbers and text', () => {
  test('integers are unsigned and big-endian', () => {
    assert.equal(toHex(u32(0x01020304)), '01020304');
    assert.equal(toHex(u32(0xffffffff)), 'ffffffff');
    assert.equal(toHex(u64(0x0102030405)), '0000000102030405'.padStart(16, '0'));
    assert.equal(toHex(u64(Number.MAX_SAFE_INTEGER)), '001fffffffffffff');
  });

  test('text is UTF-8', () => {
    assert.equal(toHex(utf8('Ü≥🐟')), 'c39ce289a5f09f909f');
  });
});
