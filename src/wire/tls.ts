import { createSecureContext, type PeerCertificate, type SecureContextOptions } from 'node:tls';
import { credentials, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';
import type { PeerId } from '../chunk/ids.js';
import { peerIdOf } from '../crypto/peer-identity.js';
import { StorageError } from '../errors.js';

/** What a peer proves itself with, and whom it believes. All PEM. */
export interface TlsIdentity {
  /** PKCS #8. */
  readonly key: string;
  readonly certificate: string;
  /** The certificate of the network authority; no other root is trusted. */
  readonly authority: string;
}

/** TLS 1.3 only. AES-128-GCM first: with AES instructions it costs the least CPU per byte of the three. */
export const CIPHER_SUITES = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384';

export function secureContextOptions(identity: TlsIdentity): SecureContextOptions {
  return {
    key: identity.key,
    cert: identity.certificate,
    ca: identity.authority,
    ciphers: CIPHER_SUITES,
    minVersion: 'TLSv1.3',
    honorCipherOrder: true,
  };
}

/** Asks every client for its certificate. Use together with widenServer, which sets what these cannot. */
export function serverCredentials(identity: TlsIdentity): ServerCredentials {
  return ServerCredentials.createSsl(
    Buffer.from(identity.authority),
    [{ private_key: Buffer.from(identity.key), cert_chain: Buffer.from(identity.certificate) }],
    true,
  );
}

/**
 * The server must show a certificate of the network authority for the key of exactly this peer; its host name is of no
 * interest, because addresses change.
 */
export function expectPeer(
  expected: PeerId,
  onImpostor: (error: StorageError) => void,
): (host: string, certificate: PeerCertificate) => Error | undefined {
  return (_host, certificate) => {
    const actual = peerIdOf(certificate.raw);
    if (actual === expected) return undefined;
    const error = new StorageError(
      'UNAUTHENTICATED',
      `Peer ${actual.slice(0, 12)}… answers at the address of peer ${expected.slice(0, 12)}…. Correct the address.`,
    );
    onImpostor(error);
    return error;
  };
}

/** See expectPeer. */
export function channelCredentials(
  identity: TlsIdentity,
  expected: PeerId,
  onImpostor: (error: StorageError) => void,
): ChannelCredentials {
  return credentials.createFromSecureContext(createSecureContext(secureContextOptions(identity)), {
    checkServerIdentity: expectPeer(expected, onImpostor),
  });
}
