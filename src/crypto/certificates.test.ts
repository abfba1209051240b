import assert from 'node:assert/strict';
import { generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto';
import { before, describe, test } from 'node:test';
import type * as X509 from '@peculiar/x509';
import { StorageError } from '../errors.js';
import {
  certificateToDer,
  certificateToPem,
  createAuthority,
  issueCertificate,
  type NetworkAuthority,
  newPeerKeyPair,
  peerHostName,
  privateKeyFromPem,
  privateKeyToPem,
} from './certificates.js';
import { PEER_KEY_USES, peerIdOf, verifyPeerCertificate } from './peer-identity.js';

const NOW = Date.UTC(2030, 0, 1);
const DAY_MS = 24 * 60 * 60 * 1000;

function unauthenticated(run: () => unknown): void {
  assert.throws(run, (error) => StorageError.is(error, 'UNAUTHENTICATED'));
}

describe('the certificate of a peer', () => {
  const keys = newPeerKeyPair();
  const request = {
    publicKey: keys.publicKey,
    name: 'peer 1',
    days: 30,
    hosts: ['127.0.0.1', 'nas.example'],
    nowMs: NOW,
  };
  let authority: NetworkAuthority;
  let certificate: Uint8Array;
  before(async () => {
    authority = await createAuthority('the "demo", network', NOW);
    certificate = await issueCertificate(authority, request);
  });

  test('is verified, and says who the peer is', () => {
    const identity = verifyPeerCertificate(certificate, authority.certificate, NOW);
    assert.equal(identity.id, peerIdOf(keys.publicKey));
    assert.equal(identity.id, peerIdOf(keys.privateKey));
    assert.equal(identity.id, peerIdOf(certificate));
    assert.match(identity.id, /^[0-9a-f]{64}$/);
    assert.ok(identity.publicKey.equals(keys.publicKey));
  });

  test('carries a name of its own and the given hosts', () => {
    const { subjectAltName, subject } = new X509Certificate(certificate);
    const own = peerHostName(peerIdOf(keys.publicKey));
    assert.equal(subjectAltName, `DNS:${own}, IP Address:127.0.0.1, DNS:nas.example`);
    assert.equal(subject, 'CN=peer 1');
    assert.ok(new X509Certificate(certificate).checkHost(own));
  });

  test('holds from an hour before its issue to its last day', () => {
    for (const nowMs of [NOW - 3_600_000, NOW, NOW + 30 * DAY_MS])
      verifyPeerCertificate(certificate, authority.certificate, nowMs);
    for (const nowMs of [NOW - 3_602_000, NOW + 30 * DAY_MS + 2000, Number.NaN]) {
      unauthenticated(() => verifyPeerCertificate(certificate, authority.certificate, nowMs));
    }
  });

  test('of another network is refused, also under the same name', async () => {
    const other = await createAuthority('the "demo", network', NOW);
    unauthenticated(() => verifyPeerCertificate(certificate, other.certificate, NOW));
  });

  test('whose signature was altered is refused', () => {
    const altered = certificate.slice();
    // The signature is the end of a certificate.
    altered[altered.length - 1] = (altered.at(-1) ?? 0) ^ 1;
    unauthenticated(() => verifyPeerCertificate(altered, authority.certificate, NOW));
  });

  test('without the uses of a peer, or of a CA, is refused', async () => {
    const x509 = await import('@peculiar/x509');
    const issuer = await createAuthority('plain', NOW);
    const curve = { name: 'ECDSA', namedCurve: 'P-256' };
    const spki = keys.publicKey.export({ format: 'der', type: 'spki' });
    const pkcs8 = issuer.privateKey.export({ format: 'der', type: 'pkcs8' });
    const publicKey = await webcrypto.subtle.importKey('spki', spki, curve, true, ['verify']);
    const signingKey = await webcrypto.subtle.importKey('pkcs8', pkcs8, curve, true, ['sign']);
    const uses = new x509.ExtendedKeyUsageExtension([...PEER_KEY_USES]);
    const issue = async (extensions: X509.Extension[]): Promise<Uint8Array> => {
      const names = { issuer: 'CN=plain', subject: 'CN=peer' };
      const dates = { notBefore: new Date(NOW), notAfter: new Date(NOW + DAY_MS) };
      const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' };
      const parameters = { ...names, ...dates, signingAlgorithm, publicKey, signingKey, extensions };
      return new Uint8Array((await x509.X509CertificateGenerator.create(parameters)).rawData);
    };
    const verify = (der: Uint8Array) => verifyPeerCertificate(der, issuer.certificate, NOW);
    verify(await issue([uses]));
    const [bare, ca] = [await issue([]), await issue([uses, new x509.BasicConstraintsExtension(true, 0, true)])];
    unauthenticated(() => verify(bare));
    unauthenticated(() => verify(ca));
  });

  test('cannot be the authority itself, nor issued by a peer', async () => {
    unauthenticated(() => verifyPeerCertificate(certificateToDer(authority.certificate), authority.certificate, NOW));
    const rogue = { certificate: certificateToPem(certificate), privateKey: keys.privateKey };
    const forged = await issueCertificate(rogue, { ...request, publicKey: newPeerKeyPair().publicKey });
    unauthenticated(() => verifyPeerCertificate(forged, authority.certificate, NOW));
  });

  test('is only for P-256 keys', async () => {
    const { publicKey } = generateKeyPairSync('ed25519');
    await assert.rejects(issueCertificate(authority, { ...request, publicKey }), StorageError);
  });

  test('goes to PEM and back', () => {
    assert.deepEqual(certificateToDer(certificateToPem(certificate)), certificate);
    assert.ok(privateKeyFromPem(privateKeyToPem(keys.privateKey)).equals(keys.privateKey));
    for (const run of [() => privateKeyFromPem('no key'), () => certificateToDer('no certificate')]) {
      assert.throws(run, (error) => StorageError.is(error, 'CORRUPT'));
    }
  });

  test('the authority is a CA of ten years, with its name as it was given', () => {
    const ca = new X509Certificate(authority.certificate);
    assert.ok(ca.ca);
    assert.ok(ca.verify(ca.publicKey));
    assert.equal(ca.toLegacyObject().subject.CN, 'the "demo", network');
    assert.ok(Date.parse(ca.validTo) > NOW + 3650 * DAY_MS);
  });
});
