import type { KeyObject } from 'node:crypto';
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { toHex } from '../bytes.js';
import { StorageError, wrapError } from '../errors.js';
import { PEER_KEY_USES, peerIdOf, readCertificate } from './peer-identity.js';
import { commonName, CURVE, loadX509, SIGNING, signingKey, verifyingKey } from './x509.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const AUTHORITY_DAYS = 3652;
/** Certificates begin this much early, for peers whose clocks are behind. */
const BACKDATE_MS = 60 * 60 * 1000;
/** A positive serial of at most 20 octets (RFC 5280 section 4.1.2.2). */
const SERIAL_BYTES = 16;

export interface PeerKeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

export interface NetworkAuthority {
  /** PEM. */
  readonly certificate: string;
  readonly privateKey: KeyObject;
}

export interface CertificateRequest {
  readonly publicKey: KeyObject;
  /** What people call the peer; goes into the subject. */
  readonly name: string;
  readonly days: number;
  /** Host names and IP addresses that its front is reached by. */
  readonly hosts: readonly string[];
  readonly nowMs: number;
}

/** An ECDSA P-256 key pair: every TLS stack has it, unlike Ed25519. */
export function newPeerKeyPair(): PeerKeyPair {
  return generateKeyPairSync('ec', { namedCurve: CURVE.namedCurve });
}

/** PKCS #8, not encrypted: the file's mode protects it. */
export function privateKeyToPem(privateKey: KeyObject): string {
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/** @throws StorageError CORRUPT */
export function privateKeyFromPem(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch (error) {
    throw new StorageError('CORRUPT', 'A private key file could not be read. Restore it from a backup.', {
      cause: error,
    });
  }
}

export function certificateToPem(der: Uint8Array): string {
  return readCertificate(der).toString();
}

/** @throws StorageError CORRUPT */
export function certificateToDer(pem: string): Uint8Array {
  return Uint8Array.from(readCertificate(pem).raw);
}

/** The DNS name that every peer's certificate carries, whatever its address: what a caller checks the peer by. */
export function peerHostName(peerId: string): string {
  // A DNS label has at most 63 characters (RFC 1035 section 2.3.4).
  return `${peerId.slice(0, 32)}.peer.shoal`;
}

function serial(): string {
  const bytes = randomBytes(SERIAL_BYTES);
  // Leading bits 01: positive and never shortened.
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return toHex(bytes);
}

/**
 * Makes the authority of a new network: a self-signed CA that issues peers' certificates and no further CAs.
 *
 * @param networkName goes into the subject
 */
export async function createAuthority(networkName: string, nowMs: number): Promise<NetworkAuthority> {
  const { privateKey, publicKey } = newPeerKeyPair();
  try {
    const x509 = await loadX509();
    const verifying = await verifyingKey(publicKey);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: serial(),
      name: commonName(x509, networkName),
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(nowMs + AUTHORITY_DAYS * DAY_MS),
      signingAlgorithm: SIGNING,
      keys: { privateKey: await signingKey(privateKey), publicKey: verifying },
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(verifying),
      ],
    });
    return { certificate: new X509Certificate(Buffer.from(certificate.rawData)).toString(), privateKey };
  } catch (error) {
    throw wrapError(error, 'making the network authority');
  }
}

/**
 * Issues a peer's certificate, for both ends of TLS.
 *
 * @returns DER
 */
export async function issueCertificate(authority: NetworkAuthority, request: CertificateRequest): Promise<Uint8Array> {
  if (request.publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new StorageError('INVALID_ARGUMENT', 'A peer has an ECDSA P-256 key.');
  }
  const names = [
    { type: 'dns' as const, value: peerHostName(peerIdOf(request.publicKey)) },
    ...request.hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
  ];
  try {
    const x509 = await loadX509();
    const ca = new x509.X509Certificate(authority.certificate);
    const publicKey = await verifyingKey(request.publicKey);
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial(),
      issuer: ca.subjectName,
      subject: commonName(x509, request.name),
      notBefore: new Date(request.nowMs - BACKDATE_MS),
      notAfter: new Date(request.nowMs + request.days * DAY_MS),
      signingAlgorithm: SIGNING,
      publicKey,
      signingKey: await signingKey(authority.privateKey),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([...PEER_KEY_USES]),
        new x509.SubjectAlternativeNameExtension(names),
        await x509.SubjectKeyIdentifierExtension.create(publicKey),
        await x509.AuthorityKeyIdentifierExtension.create(ca),
      ],
    });
    return new Uint8Array(certificate.rawData);
  } catch (error) {
    throw wrapError(error, `issuing the certificate of peer ${request.name}`);
  }
}
