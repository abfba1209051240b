import type { ServerUnaryCall } from '@grpc/grpc-js';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { readCertificate, verifyPeerCertificate } from '../crypto/peer-identity.js';
import { StorageError } from '../errors.js';
import { MAX_CONNECTIONS } from '../limits.js';

/** Every kind of call of a gRPC server. */
export type AnyCall = Pick<ServerUnaryCall<unknown, unknown>, 'getAuthContext'>;

/** Who is calling. @throws StorageError UNAUTHENTICATED without a valid certificate, PERMISSION_DENIED for a non-member */
export type Admit = (call: AnyCall) => PeerId;

export interface AdmissionOptions {
  /** The certificate of the network authority, PEM. */
  readonly authority: string;
  /** Asked for every call, so that a removed peer is out at once, on open connections too. */
  readonly isMember: (peer: PeerId) => boolean;
  readonly nowMs: () => number;
}

interface Known {
  readonly peer: PeerId;
  readonly untilMs: number;
}

/**
 * Admits peers by the client certificate of their TLS connection. The handshake has checked its chain and dates; here its
 * purpose is checked too, and its dates again, because a connection may outlive them.
 */
export function admissionByCertificate(options: AdmissionOptions): Admit {
  // By fingerprint, because reading a certificate costs more than a small call. Emptied when full.
  const known = new Map<string, Known>();

  const recognise = (raw: Uint8Array, fingerprint: string, nowMs: number): Known => {
    const found = known.get(fingerprint);
    if (found !== undefined && nowMs <= found.untilMs) return found;
    const peer = parsePeerId(verifyPeerCertificate(raw, options.authority, nowMs).id);
    const entry = { peer, untilMs: Date.parse(readCertificate(raw).validTo) };
    if (known.size >= MAX_CONNECTIONS) known.clear();
    known.set(fingerprint, entry);
    return entry;
  };

  return (call) => {
    const certificate = call.getAuthContext().sslPeerCertificate;
    if (certificate === undefined) {
      throw new StorageError(
        'UNAUTHENTICATED',
        'A valid certificate of this network is needed: yours is missing, expired or of another authority.',
      );
    }
    const { peer } = recognise(certificate.raw, certificate.fingerprint256, options.nowMs());
    if (!options.isMember(peer)) {
      throw new StorageError('PERMISSION_DENIED', `Peer ${peer.slice(0, 12)}… is not a member of this network.`);
    }
    return peer;
  };
}
