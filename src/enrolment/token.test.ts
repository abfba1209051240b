import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parsePeerId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { fromBase32, toBase32 } from './base32.js';
import { encodeToken, parseToken, type Token } from './token.js';

const TOKEN: Token = {
  network: 'a1'.repeat(32),
  fingerprint: 'b2'.repeat(32),
  issuer: parsePeerId('c3'.repeat(32)),
  addresses: ['nas.example:8485', '[2001:db8::7]:8485'],
  secret: Uint8Array.from({ length: 16 }, (_, i) => i),
  expiresMs: 1_800_000_000_000,
};

function invalid(error: unknown): boolean {
  return StorageError.is(error, 'INVALID_ARGUMENT');
}

describe('base32', () => {
  it('has the vectors of RFC 4648 section 10, in lower case and without padding', () => {
    const vectors = {
      '': '',
      f: 'my',
      fo: 'mzxq',
      foo: 'mzxw6',
      foob: 'mzxw6yq',
      fooba: 'mzxw6ytb',
      foobar: 'mzxw6ytboi',
    };
    for (const [plain, text] of Object.entries(vectors)) {
      assert.equal(toBase32(Buffer.from(plain)), text);
      assert.deepEqual(fromBase32(text.toUpperCase()), Uint8Array.from(Buffer.from(plain)));
    }
  });

  it('brings back any bytes, and takes nothing that it would not write', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        assert.deepEqual(fromBase32(toBase32(bytes)), Uint8Array.from(bytes));
      }),
    );
    for (const text of ['1', 'a', 'mz', 'mzx', 'my======', 'm y']) assert.equal(fromBase32(text), undefined, text);
  });
});

describe('a token', () => {
  const text = encodeToken(TOKEN);

  it('is these very letters, for a reader in another language', () => {
    assert.equal(
      text,
      'shoal1-ugq2dinbugq2dinbugq2dinbugq2dinbugq2dinbugq2dinbugq3fmvswkzlfmvswkzlfmvswkzlfmvswkzlfmvswkzlfmvswkzlfmwdypb4hq6dypb4hq6dypb4hq6dypb4hq6dypb4hq6dypb4hq6dymaacaqdaqcqmbyibefawdanbyhqaaabummfyuaaaiig4yltfzsxqylnobwgkorygq4dkes3giydamj2mrrdqor2g5otuobuha25u6pvwi',
    );
  });

  it('says what it was made of, in either case and with line breaks', () => {
    assert.deepEqual(parseToken(text), TOKEN);
    assert.deepEqual(parseToken(` ${text.toUpperCase().replaceAll(/(.{40})/g, '$1\r\n')} `), TOKEN);
    assert.match(text, /^shoal1-[a-z2-7]+$/);
  });

  it('is refused when any letter of it is another one, or missing', () => {
    for (let at = 7; at < text.length; at += 11) {
      const other = text[at] === 'a' ? 'b' : 'a';
      assert.throws(() => parseToken(text.slice(0, at) + other + text.slice(at + 1)), invalid, `letter ${String(at)}`);
      assert.throws(() => parseToken(text.slice(0, at) + text.slice(at + 1)), invalid, `letter ${String(at)}`);
    }
  });

  it('is refused when it is none, whatever it is', () => {
    fc.assert(
      fc.property(fc.string(), (junk) => {
        assert.throws(() => parseToken(junk), StorageError);
        assert.throws(() => parseToken(`shoal1-${junk}`), StorageError);
      }),
    );
    assert.throws(
      () => parseToken('shoal2-abcd'),
      (error) => StorageError.is(error, 'UNSUPPORTED'),
    );
  });

  it('carries no address that would not fit, or would not print', () => {
    for (const address of ['nas', 'nas:', 'n as:1', `${'a'.repeat(255)}:1`, 'näs:1']) {
      assert.throws(() => encodeToken({ ...TOKEN, addresses: [address] }), invalid, address);
    }
  });
});
