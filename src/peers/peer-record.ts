import type { PeerId } from '../chunk/ids.js';

/** A member of the network, as the `network` database knows it. Liveness is measured by calls, never written there. */
export interface PeerRecord {
  readonly id: PeerId;
  /** "host:port" of its front. */
  readonly address: string;
  readonly name: string;
  /** A flat, a rack, a site: chunks are spread over zones first. */
  readonly zone: string;
  /** Weight in placement. */
  readonly capacityBytes: number;
  readonly state: 'member' | 'draining' | 'removed';
  /** DER certificate, issued by the network authority. */
  readonly certificate: Uint8Array;
}
