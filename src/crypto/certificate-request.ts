import { createPublicKey, type KeyObject } from 'node:crypto';
import { StorageError, wrapError } from '../errors.js';
import { MAX_CERTIFICATE_REQUEST_BYTES } from '../limits.js';
import { isPlainText } from '../plain-text.js';
import { commonName, loadX509, SIGNING, signingKey, verifyingKey } from './x509.js';

/** ub-common-name (RFC 5280 appendix A.1). */
export const MAX_COMMON_NAME_CHARS = 64;

/** Who asks for a certificate. */
export interface Applicant {
  /** P-256; whoever asks has proved to hold the private one. */
  readonly publicKey: KeyObject;
  /** What people call the peer. */
  readonly name: string;
}

/** A PKCS #10 certification request (RFC 2986), signed with the key that it asks a certificate for. @returns DER */
export async function makeCertificateRequest(privateKey: KeyObject, name: string): Promise<Uint8Array> {
  try {
    const x509 = await loadX509();
    const publicKey = await verifyingKey(createPublicKey(privateKey));
    const request = await x509.Pkcs10CertificateRequestGenerator.create({
      name: commonName(x509, name),
      keys: { privateKey: await signingKey(privateKey), publicKey },
      signingAlgorithm: SIGNING,
    });
    return new Uint8Array(request.rawData);
  } catch (error) {
    throw wrapError(error, 'asking for a certificate');
  }
}

/**
 * Opens somebody's request. Only the key and the name are taken from it: whatever extensions it asks for, the authority
 * gives none of them.
 *
 * @param der foreign bytes
 * @throws StorageError INVALID_ARGUMENT, also for a signature that is not of the key in the request
 */
export async function openCertificateRequest(der: Uint8Array): Promise<Applicant> {
  if (der.length > MAX_CERTIFICATE_REQUEST_BYTES) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `A certificate request has at most ${String(MAX_CERTIFICATE_REQUEST_BYTES)} bytes.`,
    );
  }
  const { spki, isSigned, name } = await readRequest(der);
  const publicKey = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new StorageError('INVALID_ARGUMENT', 'A peer has an ECDSA P-256 key.');
  }
  if (!isSigned) {
    throw new StorageError('INVALID_ARGUMENT', 'This certificate request is not signed with the key that it is for.');
  }
  if (name === '' || Array.from(name).length > MAX_COMMON_NAME_CHARS || !isPlainText(name)) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `The name of a peer has 1 to ${String(MAX_COMMON_NAME_CHARS)} characters that can be seen: none for control or for the direction of text.`,
    );
  }
  return { publicKey, name };
}

interface RequestParts {
  readonly spki: ArrayBuffer;
  readonly isSigned: boolean;
  readonly name: string;
}

async function readRequest(der: Uint8Array): Promise<RequestParts> {
  const x509 = await loadX509();
  try {
    const request = new x509.Pkcs10CertificateRequest(Uint8Array.from(der));
    const [name = ''] = request.subjectName.getField('CN');
    return { spki: request.publicKey.rawData, isSigned: await request.verify(), name };
  } catch (error) {
    // The library fails in many ways on bytes that are no request, all of them theirs who sent it.
    throw new StorageError('INVALID_ARGUMENT', 'This is no certificate request that can be read.', { cause: error });
  }
}
