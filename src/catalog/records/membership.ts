import { createPublicKey, type KeyObject } from 'node:crypto';
import { parsePeerId, type PeerId } from '../../chunk/ids.js';
import { certificateToDer, privateKeyFromPem } from '../../crypto/certificates.js';
import type { SignaturePurpose } from '../../crypto/labels.js';
import { peerIdOf, readCertificate } from '../../crypto/peer-identity.js';
import { signP256 } from '../../crypto/signature.js';
import { StorageError } from '../../errors.js';

/** A P-256 signature over a body, under the purpose's context. */
export type RecordSigner = (purpose: SignaturePurpose, body: Uint8Array) => Uint8Array;

/**
 * This peer's place in its network, from the files of its own home: the trust anchor of everything that a database says of
 * the network and its peers.
 */
export interface Membership {
  /** SHA-256 of the authority's public key, in hex: nobody else can make a network of that id. */
  readonly network: string;
  /** The authority's certificate, PEM. */
  readonly authority: string;
  readonly authorityKey: KeyObject;
  readonly peer: PeerId;
  /** This peer's own, DER. */
  readonly certificate: Uint8Array;
  readonly signAsPeer: RecordSigner;
  /** Only where the authority's private key lies. */
  readonly signAsAuthority?: RecordSigner;
}

/** PEM files of a home. */
export interface MembershipFiles {
  readonly authority: string;
  readonly certificate: string;
  /** Private, of the certificate. */
  readonly key: string;
  /** Private, of the authority; only at peers with that role. */
  readonly authorityKey?: string;
}

/** The id of the network of this authority. @param authority its certificate, PEM. @throws StorageError CORRUPT */
export function networkIdOf(authority: string): string {
  return peerIdOf(certificateToDer(authority));
}

/** @throws StorageError CORRUPT for files that cannot be read, or do not belong together */
export function openMembership(files: MembershipFiles): Membership {
  const certificate = certificateToDer(files.certificate);
  const authorityKey = readCertificate(files.authority).publicKey;
  const peer = parsePeerId(peerIdOf(certificate));
  const membership = {
    network: peerIdOf(authorityKey),
    authority: files.authority,
    authorityKey,
    peer,
    certificate,
    signAsPeer: signerOf(files.key, peer, 'peer.key'),
  };
  if (files.authorityKey === undefined) return membership;
  return { ...membership, signAsAuthority: signerOf(files.authorityKey, membership.network, 'authority.key') };
}

/** @param id the hash of the public key that the private one has to belong to */
function signerOf(pem: string, id: string, file: string): RecordSigner {
  const key = privateKeyFromPem(pem);
  if (peerIdOf(createPublicKey(key)) !== id) {
    throw new StorageError(
      'CORRUPT',
      `${file} does not belong to the certificate beside it. Restore both from a backup.`,
    );
  }
  return (purpose, body) => signP256(purpose, body, key);
}
