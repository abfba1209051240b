import assert from 'node:assert/strict';
import { createPublicKey, X509Certificate } from 'node:crypto';
import { before, describe, test } from 'node:test';
import fc from 'fast-check';
import { decodeDirectory, unsealDirectory } from '../../src/chunk/directory.js';
import { openDeleteOrder, openGrant } from '../../src/chunk/grant.js';
import { parseChunkId, parseUserId } from '../../src/chunk/ids.js';
import { decodeLabel, openLabel } from '../../src/chunk/label.js';
import { decodeReceipt, verifyReceipt } from '../../src/chunk/receipt.js';
import { sealSigned } from '../../src/chunk/signed.js';
import { createAuthority, issueCertificate, newPeerKeyPair } from '../../src/crypto/certificates.js';
import type { SignaturePurpose } from '../../src/crypto/labels.js';
import { unwrapRootKey } from '../../src/crypto/passphrase.js';
import { peerIdOf, verifyPeerCertificate } from '../../src/crypto/peer-identity.js';
import { deriveUserKeys, stripeDirectoryKey } from '../../src/crypto/root-key.js';
import { ExtentUnsealer, plainBytes, sealedBytes, sealExtentInto, unsealExtent } from '../../src/crypto/seal.js';
import { StorageError } from '../../src/errors.js';
import { MAX_ARGON2_PASSES, MIN_ARGON2_MEMORY_KIB } from '../../src/limits.js';
import { pattern, readSealingVectors } from '../vectors/sealing-vectors.js';

const vectors = readSealingVectors();
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
const keys = deriveUserKeys(bytes(vectors.rootKey.rootKey));
const RUNS = { numRuns: 500 };

/** Random bytes, and good ones that were cut, joined with themselves, overwritten or flipped somewhere. */
function hostile(good: Uint8Array): fc.Arbitrary<Uint8Array> {
  const at = fc.nat(Math.max(0, good.length - 1));
  const piece = fc.tuple(at, at).map(([a, b]) => good.subarray(Math.min(a, b), Math.max(a, b) + 1));
  return fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc.tuple(at, fc.integer({ min: 0, max: 255 })).map(([index, value]) => good.with(index, value)),
    fc.tuple(at, fc.uint8Array({ minLength: 1, maxLength: 12 })).map(([index, noise]) => {
      return Uint8Array.from(Buffer.concat([good.subarray(0, index), noise, good.subarray(index + noise.length)]));
    }),
    fc.array(fc.oneof(piece, fc.uint8Array({ maxLength: 20 })), { maxLength: 4 }).map((pieces) => {
      return Uint8Array.from(Buffer.concat(pieces));
    }),
  );
}

/** Whatever goes in, either a value or a StorageError that is not our bug comes out. */
function holds(decode: (input: Uint8Array) => unknown, good: Uint8Array): void {
  decode(good);
  fc.assert(
    fc.property(hostile(good), (input) => {
      try {
        decode(input);
      } catch (error) {
        assert.ok(StorageError.is(error), String(error));
        assert.notEqual(error.code, 'INTERNAL');
      }
    }),
    RUNS,
  );
}

describe('hostile bytes as', () => {
  const key = bytes(vectors.directory.key);
  const extent = new Uint8Array(sealedBytes(1000));
  sealExtentInto(key, pattern(1000), extent);

  test('a sealed extent', () => holds((input) => [...unsealExtent(key, input)], extent));

  test('a stream of a sealed extent', () => {
    holds((input) => {
      const unsealer = new ExtentUnsealer(key, 1000);
      for (let at = 0; at < input.length; at += 100) unsealer.push(input.subarray(at, at + 100));
      unsealer.end();
    }, extent);
  });

  test('a sealed length', () => {
    fc.assert(
      fc.property(fc.oneof(fc.double(), fc.maxSafeInteger()), (sealed) => {
        try {
          assert.equal(sealedBytes(plainBytes(sealed)), sealed);
        } catch (error) {
          assert.ok(StorageError.is(error, 'CORRUPT'), String(error));
        }
      }),
      RUNS,
    );
  });

  test('the plaintext of a directory', () => {
    holds((input) => decodeDirectory(input, vectors.directory.offset), bytes(vectors.directory.plaintext));
  });

  test('a directory', async () => {
    const directoryKey = (salt: Uint8Array): Uint8Array => stripeDirectoryKey(keys.directoryKey, salt);
    await fc.assert(
      fc.asyncProperty(hostile(bytes(vectors.directory.sealed)), async (input) => {
        await unsealDirectory(input, vectors.directory.offset, directoryKey).catch((error: unknown) => {
          assert.ok(StorageError.is(error, 'CORRUPT', 'UNSUPPORTED'), String(error));
        });
      }),
      RUNS,
    );
  });

  test('a signed label', () => holds(openLabel, bytes(vectors.label.signed)));
  test('a signed grant', () => holds(openGrant, bytes(vectors.grant.signed)));
  test('a signed delete order', () => holds(openDeleteOrder, bytes(vectors.deleteOrder.signed)));

  const bodies: readonly [SignaturePurpose, (signed: Uint8Array) => unknown, string][] = [
    ['label', openLabel, vectors.label.body],
    ['grant', openGrant, vectors.grant.body],
    ['delete', openDeleteOrder, vectors.deleteOrder.body],
  ];
  for (const [purpose, open, body] of bodies) {
    test(`the body that an owner signed as a ${purpose}`, () => {
      holds((input) => open(sealSigned(purpose, input, keys.signing)), bytes(body));
    });
  }

  test('the body of a label', () => holds(decodeLabel, bytes(vectors.label.body)));
  test('the body of a receipt', () => holds(decodeReceipt, bytes(vectors.receipt.body)));

  test('a receipt', () => {
    const publicKey = createPublicKey({
      key: Buffer.from(vectors.receipt.publicKey, 'hex'),
      format: 'der',
      type: 'spki',
    });
    const { chunk, owner } = decodeReceipt(bytes(vectors.receipt.body));
    const asked = { chunk: parseChunkId(chunk), owner: parseUserId(owner), bytes: 2501 };
    const [body, signature] = [bytes(vectors.receipt.body), bytes(vectors.receipt.signature)];
    holds((input) => verifyReceipt({ body: input, signature }, publicKey, asked), body);
    holds((input) => verifyReceipt({ body, signature: input }, publicKey, asked), signature);
  });
});

describe('hostile bytes as a certificate', () => {
  const now = Date.UTC(2030, 0, 1);
  let authority: string;
  let certificate: Uint8Array;
  before(async () => {
    const ca = await createAuthority('network', now);
    authority = ca.certificate;
    const { publicKey } = newPeerKeyPair();
    certificate = await issueCertificate(ca, { publicKey, name: 'peer', days: 1, hosts: ['localhost'], nowMs: now });
  });

  test('are refused', () => {
    holds((input) => verifyPeerCertificate(input, authority, now), certificate);
    holds((input) => verifyPeerCertificate(certificate, input, now), new X509Certificate(authority).raw);
    holds((input) => peerIdOf(input), certificate);
  });
});

test('a hostile wrap costs nothing', async () => {
  const size = fc.oneof(fc.integer(), fc.double(), fc.constantFrom(Number.NaN, Infinity, 0, -1));
  const { user, version, salt, sealed } = vectors.wrap.good;
  const good = { memoryKib: MIN_ARGON2_MEMORY_KIB, passes: 3, lanes: 1, salt: bytes(salt), sealed: bytes(sealed) };
  const changed = fc.oneof(
    size.filter((memoryKib) => !(memoryKib >= MIN_ARGON2_MEMORY_KIB)).map((memoryKib) => ({ memoryKib })),
    size.filter((passes) => !(passes >= 3 && passes <= MAX_ARGON2_PASSES)).map((passes) => ({ passes })),
    size.filter((lanes) => !(lanes >= 1 && lanes <= 16)).map((lanes) => ({ lanes })),
    fc.uint8Array({ maxLength: 15 }).map((salt) => ({ salt })),
    fc.uint8Array({ maxLength: 79 }).map((sealed) => ({ sealed })),
  );
  await fc.assert(
    fc.asyncProperty(changed, async (change) => {
      await assert.rejects(unwrapRootKey('passphrase', { ...good, ...change }, { user, version }), (error) =>
        StorageError.is(error, 'PERMISSION_DENIED', 'UNSUPPORTED', 'CORRUPT'),
      );
    }),
    RUNS,
  );
});
