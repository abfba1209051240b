import assert from 'node:assert/strict';
import { createPublicKey, webcrypto } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { StorageError } from '../errors.js';
import { makeCertificateRequest, openCertificateRequest } from './certificate-request.js';
import { newPeerKeyPair } from './certificates.js';
import { commonName, loadX509, SIGNING, signingKey, verifyingKey } from './x509.js';

function invalid(error: unknown): boolean {
  return StorageError.is(error, 'INVALID_ARGUMENT');
}

describe('a certificate request', () => {
  const { privateKey } = newPeerKeyPair();

  it('says the key that it was signed with, and the name', async () => {
    const name = 'Léa’s "NAS", attic';
    const { publicKey, ...opened } = await openCertificateRequest(await makeCertificateRequest(privateKey, name));
    assert.ok(publicKey.equals(createPublicKey(privateKey)));
    assert.equal(opened.name, name);
  });

  it('for somebody else’s key is refused', async () => {
    const victim = createPublicKey(newPeerKeyPair().privateKey);
    const x509 = await loadX509();
    const forged = await x509.Pkcs10CertificateRequestGenerator.create({
      name: commonName(x509, 'mallory'),
      keys: { privateKey: await signingKey(privateKey), publicKey: await verifyingKey(victim) },
      signingAlgorithm: SIGNING,
    });
    await assert.rejects(openCertificateRequest(new Uint8Array(forged.rawData)), invalid);
  });

  it('for a key that no peer has is refused', async () => {
    const x509 = await loadX509();
    const curve = { name: 'ECDSA', namedCurve: 'P-384' };
    const keys = await webcrypto.subtle.generateKey(curve, true, ['sign', 'verify']);
    const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-384' };
    const request = await x509.Pkcs10CertificateRequestGenerator.create({ name: 'CN=x', keys, signingAlgorithm });
    await assert.rejects(openCertificateRequest(new Uint8Array(request.rawData)), invalid);
  });

  it('with a name that cannot be one is refused', async () => {
    for (const name of ['', 'a\nb', 'x'.repeat(65), 'nas\u202esan', 'n\u200bas', 'nas\u{e0041}']) {
      await assert.rejects(openCertificateRequest(await makeCertificateRequest(privateKey, name)), StorageError, name);
    }
  });

  it('never says another key or name than the one that was signed, whatever was altered; junk is none', async () => {
    const der = await makeCertificateRequest(privateKey, 'peer 1');
    for (let at = 0; at < der.length; at += 3) {
      const altered = der.slice();
      altered[at] = (altered[at] ?? 0) ^ (1 << (at % 8));
      // Some bits of an encoding mean nothing.
      const opened = await openCertificateRequest(altered).catch((error: unknown) => assert.ok(invalid(error)));
      if (opened === undefined) continue;
      assert.ok(opened.publicKey.equals(createPublicKey(privateKey)) && opened.name === 'peer 1', `byte ${String(at)}`);
    }
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (junk) => {
        await assert.rejects(openCertificateRequest(junk), invalid);
      }),
      { numRuns: 50 },
    );
    await assert.rejects(openCertificateRequest(new Uint8Array(4096)), invalid);
  });
});
