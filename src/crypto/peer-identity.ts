import { createHash, createPublicKey, KeyObject, X509Certificate } from 'node:crypto';
import { StorageError } from '../errors.js';

/** TLS client and server authentication (RFC 5280 section 4.2.1.12). */
export const PEER_KEY_USES = ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'] as const;

export interface PeerIdentity {
  /** Peer id, lower-case hex of 32 bytes. */
  readonly id: string;
  readonly publicKey: KeyObject;
}

/** @throws StorageError CORRUPT for bytes that are no certificate */
export function readCertificate(certificate: Uint8Array | string): X509Certificate {
  try {
    return new X509Certificate(certificate);
  } catch (error) {
    throw new StorageError('CORRUPT', 'A certificate could not be read.', { cause: error });
  }
}

/**
 * The id of a peer: SHA-256 of its public key (SubjectPublicKeyInfo, DER) in lower-case hex. A new certificate for the same
 * key is the same peer.
 *
 * @param from a certificate (DER), or the public key itself
 */
export function peerIdOf(from: Uint8Array | KeyObject): string {
  const key = from instanceof KeyObject ? from : readCertificate(from).publicKey;
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
}

/**
 * Checks that the network authority issued this certificate to a peer and that it is valid at `nowMs`. Revocation is the
 * peer book's business.
 *
 * @param certificate DER
 * @param authority the authority's certificate, PEM or DER
 * @throws StorageError UNAUTHENTICATED, CORRUPT
 */
export function verifyPeerCertificate(
  certificate: Uint8Array,
  authority: string | Uint8Array,
  nowMs: number,
): PeerIdentity {
  const peer = readCertificate(certificate);
  const issuer = readCertificate(authority);
  if (!peer.checkIssued(issuer) || !peer.verify(issuer.publicKey)) {
    throw new StorageError('UNAUTHENTICATED', 'This certificate was not issued by the authority of this network.');
  }
  if (!(nowMs >= Date.parse(peer.validFrom) && nowMs <= Date.parse(peer.validTo))) {
    throw new StorageError(
      'UNAUTHENTICATED',
      `The certificate of this peer is valid from ${peer.validFrom} to ${peer.validTo}. Check the clock, or let the peer join again.`,
    );
  }
  const uses: readonly string[] = peer.keyUsage;
  const curve = peer.publicKey.asymmetricKeyDetails?.namedCurve;
  if (peer.ca || curve !== 'prime256v1' || !PEER_KEY_USES.every((use) => uses.includes(use))) {
    throw new StorageError('UNAUTHENTICATED', 'This certificate is not one of a peer.');
  }
  return { id: peerIdOf(peer.publicKey), publicKey: peer.publicKey };
}
