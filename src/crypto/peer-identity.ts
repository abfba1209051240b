import { createHash, createPublicKey, KeyObject, X509Certificate } from 'node:crypto';
import { assert, StorageError } from '../errors.js';

/** TLS client and server authentication (RFC 5280 section 4.2.1.12). */
export const PEER_KEY_USES = ['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'] as const;

export interface PeerIdentity {
  /** Peer id, lower-case hex of 32 bytes. */
  readonly id: string;
  readonly publicKey: KeyObject;
}

/** @throws StorageError CORRUPT for bytes that are no certificate, or one whose key nobody here can use */
export function readCertificate(certificate: Uint8Array | string): X509Certificate {
  try {
    const x509 = new X509Certificate(certificate);
    // Here and not later: the getter throws for an algorithm that OpenSSL does not know.
    assert(x509.publicKey.type === 'public', 'the key of a certificate is public');
    return x509;
  } catch (error) {
    throw new StorageError('CORRUPT', 'A certificate could not be read.', { cause: error });
  }
}

/** True when the holder of the authority's key signed this certificate. */
function issuedBy(peer: X509Certificate, authority: X509Certificate): boolean {
  try {
    return peer.checkIssued(authority) && peer.verify(authority.publicKey);
  } catch (error) {
    throw new StorageError('CORRUPT', 'The signature of a certificate could not be read.', { cause: error });
  }
}

function isPeers(certificate: X509Certificate): boolean {
  // Undefined, whatever its type says, when the certificate has no such extension.
  const uses = (certificate.keyUsage as readonly string[] | undefined) ?? [];
  const curve = certificate.publicKey.asymmetricKeyDetails?.namedCurve;
  return !certificate.ca && curve === 'prime256v1' && PEER_KEY_USES.every((use) => uses.includes(use));
}

/**
 * The id of a peer: SHA-256 of its public key (SubjectPublicKeyInfo, DER) in lower-case hex. A new certificate for the same
 * key is the same peer.
 *
 * @param from a certificate (DER), or the public key itself
 */
export function peerIdOf(from: Uint8Array | KeyObject): string {
  const key = from instanceof KeyObject ? from : readCertificate(from).publicKey;
  const known = knownIds.get(key);
  if (known !== undefined) return known;
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  const id = createHash('sha256')
    .update(publicKey.export({ format: 'der', type: 'spki' }))
    .digest('hex');
  knownIds.set(key, id);
  return id;
}

/** Exporting a key takes 0.1 ms, and every receipt asks for the id of the same few keys. */
const knownIds = new WeakMap<KeyObject, string>();

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
  if (!issuedBy(peer, readCertificate(authority))) {
    throw new StorageError('UNAUTHENTICATED', 'This certificate was not issued by the authority of this network.');
  }
  const { validFrom, validTo } = peer;
  if (!(nowMs >= Date.parse(validFrom) && nowMs <= Date.parse(validTo))) {
    throw new StorageError(
      'UNAUTHENTICATED',
      `The certificate of this peer is valid from ${validFrom} to ${validTo}. Check the clock, or let the peer join again.`,
    );
  }
  if (!isPeers(peer)) throw new StorageError('UNAUTHENTICATED', 'This certificate is not one of a peer.');
  return { id: peerIdOf(peer.publicKey), publicKey: peer.publicKey };
}
