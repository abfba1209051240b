import type { PeerId } from '../chunk/ids.js';

/** What a peer says of itself. */
export interface PeerProfile {
  readonly id: PeerId;
  /** "host:port" of its front. */
  readonly address: string;
  readonly name: string;
  /** A flat, a rack, a site: chunks are spread over zones first. */
  readonly zone: string;
  /** Weight in placement. */
  readonly capacityBytes: number;
  /** It hosts the document databases of all others. */
  readonly backup: boolean;
  /** DER certificate, issued by the network authority. */
  readonly certificate: Uint8Array;
}

/** A peer of the network, as the `network` database knows it. Liveness is measured by calls, never written there. */
export interface PeerRecord extends PeerProfile {
  /** What the authority says of it. */
  readonly state: 'member' | 'draining' | 'removed';
}
