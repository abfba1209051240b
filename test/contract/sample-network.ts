import { openMembership, type Membership } from '../../src/catalog/records/membership.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  privateKeyToPem,
  type NetworkAuthority,
} from '../../src/crypto/certificates.js';
import type { PeerProfile } from '../../src/peers/peer-record.js';

const HOST = '127.0.0.1';

export interface SampleMemberOptions {
  /** It has the authority's key too. */
  readonly authority?: boolean;
  /** Unix time of its certificate's issue; now unless given. */
  readonly issuedMs?: number;
}

/** An authority, and as many members as a test wants. */
export class SampleNetwork {
  readonly authority: NetworkAuthority;

  private constructor(authority: NetworkAuthority) {
    this.authority = authority;
  }

  static async open(name = 'sample'): Promise<SampleNetwork> {
    return new SampleNetwork(await createAuthority(name, Date.now()));
  }

  async member(name: string, options: SampleMemberOptions = {}): Promise<Membership> {
    const { publicKey, privateKey } = newPeerKeyPair();
    const nowMs = options.issuedMs ?? Date.now();
    const certificate = await issueCertificate(this.authority, { publicKey, name, days: 2, hosts: [HOST], nowMs });
    const authorityKey = privateKeyToPem(this.authority.privateKey);
    return openMembership({
      authority: this.authority.certificate,
      certificate: certificateToPem(certificate),
      key: privateKeyToPem(privateKey),
      ...(options.authority === true && { authorityKey }),
    });
  }
}

/** What a member says of itself. */
export function profileOf({ peer, certificate }: Membership, port = 4433): PeerProfile {
  const address = `${HOST}:${String(port)}`;
  return { id: peer, address, name: 'attic', zone: 'house', capacityBytes: 2 ** 41, backup: false, certificate };
}
