import type { Membership } from '../catalog/records/membership.js';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { openCertificateRequest, type Applicant } from '../crypto/certificate-request.js';
import { issueCertificate, type NetworkAuthority, privateKeyToPem } from '../crypto/certificates.js';
import { peerIdOf, readCertificate, verifyPeerCertificate } from '../crypto/peer-identity.js';
import type { Document } from '../documents/document-database.js';
import { StorageError } from '../errors.js';
import {
  CERTIFICATE_DAYS,
  INVITATION_LIFETIME_MS,
  MAX_INVITATION_LIFETIME_MS,
  MAX_TOKEN_ADDRESSES,
} from '../limits.js';
import type { Logger } from '../log.js';
import type { Invitation, Invitations } from './invitations.js';
import { demandPlain } from './peer-name.js';
import type { Roll } from './roll.js';
import { encodeToken } from './token.js';

export interface EnrolmentOptions {
  readonly membership: Membership;
  /** Absent where the authority's key is not: then nobody joins through this peer. */
  readonly authority: NetworkAuthority | undefined;
  readonly roll: Roll;
  readonly invitations: Invitations;
  /** Unix time. */
  readonly nowMs: () => number;
  readonly logger: Logger;
}

/** What somebody begins as a peer with. */
export interface Certified {
  /** DER. */
  readonly certificate: Uint8Array;
  /** The network's records, signed. */
  readonly records: readonly Document[];
  /** PEM, where the invitation was for the authority's role. */
  readonly authorityKey?: string;
}

export interface InvitationTerms {
  /** Default INVITATION_LIFETIME_MS. */
  readonly lifetimeMs?: number | undefined;
  /** Whoever joins gets the authority's key too. */
  readonly authority?: boolean | undefined;
  /** For whom it is; for people. */
  readonly note?: string | undefined;
  /** Of this peer's front, "host:port". */
  readonly addresses: readonly string[];
}

export interface Issued {
  readonly token: string;
  readonly invitation: Invitation;
}

/** Lets peers into the network: invites them, issues and renews their certificates, and takes in what they say of themselves. */
export class Enrolment {
  readonly #options: EnrolmentOptions;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
  }

  get invitations(): Invitations {
    return this.#options.invitations;
  }

  /** For anyone: it proves nothing, and whoever asks compares it with the fingerprint that came with the invitation. */
  network(): { readonly authority: string; readonly timeMs: number } {
    const { membership, nowMs } = this.#options;
    return { authority: membership.authority, timeMs: nowMs() };
  }

  /** @throws StorageError PERMISSION_DENIED where the authority's key is not, INVALID_ARGUMENT, LIMIT_EXCEEDED */
  async invite(terms: InvitationTerms): Promise<Issued> {
    const { membership, invitations, nowMs, logger } = this.#options;
    this.#authority();
    const { lifetimeMs = INVITATION_LIFETIME_MS, authority = false, note = '' } = terms;
    demandPlain('note', note);
    if (!(lifetimeMs > 0 && lifetimeMs <= MAX_INVITATION_LIFETIME_MS)) {
      const days = String(MAX_INVITATION_LIFETIME_MS / 86_400_000);
      throw new StorageError('INVALID_ARGUMENT', `An invitation is good for ${days} days at most.`);
    }
    const createdMs = nowMs();
    const { secret, ...invitation } = await invitations.add({
      createdMs,
      expiresMs: createdMs + lifetimeMs,
      note,
      authority,
    });
    const token = encodeToken({
      network: membership.network,
      fingerprint: fingerprintOf(membership.authority),
      issuer: membership.peer,
      addresses: terms.addresses.slice(0, MAX_TOKEN_ADDRESSES),
      secret,
      expiresMs: invitation.expiresMs,
    });
    logger.info({ invitation: invitation.id, authority }, 'a peer was invited');
    return { token, invitation };
  }

  /**
   * A certificate for whoever has the secret of an invitation, and the key in the request.
   *
   * @throws StorageError UNAUTHENTICATED, INVALID_ARGUMENT, PERMISSION_DENIED
   */
  async certify(secret: Uint8Array, request: Uint8Array): Promise<Certified> {
    const { invitations, roll, nowMs, logger } = this.#options;
    const authority = this.#authority();
    // Before anything that costs more than a hash: a stranger's guess ends here.
    const invitation = invitations.find(secret);
    if (invitation === undefined) {
      throw new StorageError(
        'UNAUTHENTICATED',
        'This invitation is not known here: it was revoked, or its peer was made anew. Ask for another one.',
      );
    }
    if (invitation.expiresMs <= nowMs()) {
      const since = new Date(invitation.expiresMs).toISOString();
      throw new StorageError('UNAUTHENTICATED', `This invitation expired at ${since}. Ask for another one.`);
    }
    const applicant = await openCertificateRequest(request);
    const peer = await this.#admissible(applicant);
    if (!(await invitations.use(secret, peer, nowMs()))) {
      throw new StorageError(
        'UNAUTHENTICATED',
        'Another peer has joined by this invitation: each serves one. Ask for another one.',
      );
    }
    if (invitation.authority) await roll.setAuthority(peer, true);
    const certificate = await this.#issue(applicant);
    logger.info({ joined: peer, name: applicant.name, invitation: invitation.id }, 'a peer was given a certificate');
    const records = await roll.bootstrap();
    return invitation.authority
      ? { certificate, records, authorityKey: privateKeyToPem(authority.privateKey) }
      : { certificate, records };
  }

  /**
   * The next certificate of a peer, for the same key.
   *
   * @param shown the certificate of the connection, DER
   * @returns DER
   * @throws StorageError UNAUTHENTICATED, PERMISSION_DENIED for a peer that was removed and for another key, INVALID_ARGUMENT
   */
  async renew(shown: Uint8Array | undefined, request: Uint8Array): Promise<Uint8Array> {
    this.#authority();
    return await this.#renew(await this.#caller(shown), request);
  }

  /** The next certificate of this peer itself, also after the last has expired. @returns DER. @throws as renew */
  async renewOwn(request: Uint8Array): Promise<Uint8Array> {
    return await this.#renew(this.#options.membership.peer, request);
  }

  get isAuthority(): boolean {
    return this.#options.authority !== undefined;
  }

  /** Takes in what a peer says of itself. @throws StorageError UNAUTHENTICATED, PERMISSION_DENIED, CORRUPT */
  async take(shown: Uint8Array | undefined, record: Document): Promise<void> {
    this.#authority();
    const { address, name } = await this.#options.roll.takePeer(await this.#caller(shown), record);
    this.#options.logger.info({ name, address }, 'a peer has said what it is');
  }

  async #renew(peer: PeerId, request: Uint8Array): Promise<Uint8Array> {
    const applicant = await openCertificateRequest(request);
    if ((await this.#admissible(applicant)) !== peer) {
      throw new StorageError('PERMISSION_DENIED', 'A peer renews the certificate of its own key, and of no other.');
    }
    const certificate = await this.#issue(applicant);
    this.#options.logger.info({ renewed: peer }, 'the certificate of a peer was renewed');
    return certificate;
  }

  #authority(): NetworkAuthority {
    const { authority } = this.#options;
    if (authority !== undefined) return authority;
    throw new StorageError(
      'PERMISSION_DENIED',
      'Peers join through a peer that has the authority’s role, and this one has not. `shoal network status` names those that have.',
    );
  }

  /** @throws StorageError UNAUTHENTICATED, PERMISSION_DENIED */
  async #caller(shown: Uint8Array | undefined): Promise<PeerId> {
    const { membership, nowMs } = this.#options;
    if (shown === undefined) {
      throw new StorageError(
        'UNAUTHENTICATED',
        'A valid certificate of this network is needed. When yours has expired, join again with a new invitation: the peer stays the same.',
      );
    }
    const peer = parsePeerId(verifyPeerCertificate(shown, membership.authority, nowMs()).id);
    await this.#demandNotRemoved(peer);
    return peer;
  }

  async #admissible({ publicKey }: Applicant): Promise<PeerId> {
    const peer = parsePeerId(peerIdOf(publicKey));
    if (peer === this.#options.membership.network) {
      throw new StorageError('PERMISSION_DENIED', 'The key of the network authority is no peer’s key.');
    }
    await this.#demandNotRemoved(peer);
    return peer;
  }

  /** For good: whoever has taken the disk of a peer that was removed has its key too. */
  async #demandNotRemoved(peer: PeerId): Promise<void> {
    if (!(await this.#options.roll.isRemoved(peer))) return;
    throw new StorageError(
      'PERMISSION_DENIED',
      `Peer ${peer.slice(0, 12)}… was removed from this network. To come back it joins as a new peer, from an empty home.`,
    );
  }

  async #issue({ publicKey, name }: Applicant): Promise<Uint8Array> {
    const { nowMs } = this.#options;
    const authority = this.#authority();
    return await issueCertificate(authority, { publicKey, name, days: CERTIFICATE_DAYS, hosts: [], nowMs: nowMs() });
  }
}

/** SHA-256 of a certificate, in hex. @param certificate PEM or DER */
export function fingerprintOf(certificate: string | Uint8Array): string {
  return readCertificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
}
