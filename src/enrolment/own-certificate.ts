import { certificateToDer, privateKeyFromPem } from '../crypto/certificates.js';
import { peerIdOf, verifyPeerCertificate } from '../crypto/peer-identity.js';
import { StorageError } from '../errors.js';
import type { TlsIdentity } from '../wire/tls.js';

export interface OwnCheck extends Pick<TlsIdentity, 'key' | 'authority'> {
  readonly nowMs: number;
}

/** @param certificate DER @throws StorageError UNAUTHENTICATED, CORRUPT for one that this peer cannot use */
export function demandOwnCertificate(certificate: Uint8Array, { key, authority, nowMs }: OwnCheck): void {
  const { id } = verifyPeerCertificate(certificate, authority, nowMs);
  if (id === peerIdOf(privateKeyFromPem(key))) return;
  throw new StorageError('CORRUPT', 'This certificate is for another key than that of this peer.');
}

/** @param certificate PEM */
export function isOwnCertificate(certificate: string, check: OwnCheck): boolean {
  try {
    demandOwnCertificate(certificateToDer(certificate), check);
    return true;
  } catch (error) {
    if (StorageError.is(error, 'UNAUTHENTICATED', 'CORRUPT')) return false;
    throw error;
  }
}
