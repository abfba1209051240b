import type { Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { readCertificate, verifyPeerCertificate } from '../crypto/peer-identity.js';
import { StorageError } from '../errors.js';
import { MAX_CONNECTIONS, MAX_ESCAPED_CERTIFICATE_CHARS } from '../limits.js';

/**
 * The header on which a front says which client certificate it has verified: PEM, URL-escaped (nginx's
 * `$ssl_client_escaped_cert`); empty or absent when the client has shown none. The front overwrites whatever a client sends
 * under this name. It is believed on unix sockets alone, which only the home's owner can open.
 */
export const CERTIFICATE_HEADER = 'x-shoal-client-certificate';

/** Every kind of call of a gRPC server, and every HTTP/1.1 request. */
export interface AnyCall {
  readonly metadata: Pick<Metadata, 'get'>;
  getAuthContext(): ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']>;
}

/** Who is calling. @throws StorageError UNAUTHENTICATED without a valid certificate, PERMISSION_DENIED for a non-member */
export type Admit = (call: AnyCall) => PeerId;

/** How callers are known. */
export interface Admission {
  readonly admit: Admit;
  /** The caller's certificate, DER, when it has shown a valid one of this network, member or not. */
  readonly certificate: (call: AnyCall) => Uint8Array | undefined;
}

export interface AdmissionOptions {
  /** The certificate of the network authority, PEM. */
  readonly authority: string;
  /** Asked for every call, so that a removed peer is out at once, on open connections too. */
  readonly isMember: (peer: PeerId) => boolean;
  readonly nowMs: () => number;
}

/** A certificate as it was shown: reading one costs more than a small call, so it is known again by `name`. */
interface Shown {
  readonly name: string;
  readonly der: () => Uint8Array;
}

interface Known {
  readonly peer: PeerId;
  readonly certificate: Uint8Array;
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Admits peers by the client certificate of their TLS connection. The handshake has checked its chain and dates; here its
 * purpose is checked too, and its dates again, because a connection may outlive them.
 */
export function admissionByTls(options: AdmissionOptions): Admission {
  return admission(options, (call) => {
    const certificate = call.getAuthContext().sslPeerCertificate;
    return certificate && { name: certificate.fingerprint256, der: () => certificate.raw };
  });
}

const ESCAPED = new RegExp(`^[A-Za-z0-9%._~=/+-]{1,${String(MAX_ESCAPED_CERTIFICATE_CHARS)}}$`);

/** Admits peers by the certificate that a front says it has verified; nothing of that is believed but that it was shown. */
export function admissionByHeader(options: AdmissionOptions): Admission {
  return admission(options, (call) => {
    const values = call.metadata.get(CERTIFICATE_HEADER);
    const [value = ''] = values;
    if (value === '') return undefined;
    // A front sends one. Two may come joined by a comma, which an escaped one does not have.
    if (values.length > 1 || typeof value !== 'string' || !ESCAPED.test(value)) {
      throw new StorageError('UNAUTHENTICATED', 'What the front gives as the client certificate is not one.');
    }
    return { name: value, der: () => unescapeCertificate(value) };
  });
}

/** For CERTIFICATE_HEADER. @param certificate PEM */
export function escapeCertificate(certificate: string): string {
  return encodeURIComponent(certificate);
}

function unescapeCertificate(value: string): Uint8Array {
  try {
    return readCertificate(decodeURIComponent(value)).raw;
  } catch (error) {
    throw new StorageError('UNAUTHENTICATED', 'What the front gives as the client certificate is not one.', {
      cause: error,
    });
  }
}

function admission(options: AdmissionOptions, shown: (call: AnyCall) => Shown | undefined): Admission {
  // Emptied when full.
  const known = new Map<string, Known>();

  const recognise = ({ name, der }: Shown): Known => {
    const nowMs = options.nowMs();
    const found = known.get(name);
    if (found !== undefined && nowMs >= found.fromMs && nowMs <= found.untilMs) return found;
    const certificate = der();
    const peer = parsePeerId(verifyPeerCertificate(certificate, options.authority, nowMs).id);
    const { validFrom, validTo } = readCertificate(certificate);
    const entry = { peer, certificate, fromMs: Date.parse(validFrom), untilMs: Date.parse(validTo) };
    if (known.size >= MAX_CONNECTIONS) known.clear();
    known.set(name, entry);
    return entry;
  };

  return {
    admit: (call) => {
      const found = shown(call);
      if (found === undefined) {
        throw new StorageError(
          'UNAUTHENTICATED',
          'A valid certificate of this network is needed: yours is missing, expired or of another authority.',
        );
      }
      const { peer } = recognise(found);
      if (!options.isMember(peer)) {
        throw new StorageError('PERMISSION_DENIED', `Peer ${peer.slice(0, 12)}… is not a member of this network.`);
      }
      return peer;
    },
    certificate: (call) => {
      const found = shown(call);
      if (found === undefined) return undefined;
      try {
        return recognise(found).certificate;
      } catch (error) {
        if (StorageError.is(error, 'UNAUTHENTICATED', 'CORRUPT')) return undefined;
        throw error;
      }
    },
  };
}
