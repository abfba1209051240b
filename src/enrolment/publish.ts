import type { Catalog } from '../catalog/catalog.js';
import type { PeerId } from '../chunk/ids.js';
import { equalBytes } from '../bytes.js';
import type { PeerProfile, PeerRecord } from '../peers/peer-record.js';

/** What the network has to know of a peer that runs. */
export interface Published {
  readonly id: PeerId;
  /** DER. */
  readonly certificate: Uint8Array;
  /** undefined: what was published last stays. */
  readonly address: string | undefined;
}

/**
 * Writes what is new into the record of this peer. Where the network has no valid one there is nothing to go on from: the peer
 * joins again.
 *
 * @returns whether something was written
 */
export async function publishOwn(
  catalog: Pick<Catalog, 'peers' | 'setPeer'>,
  { id, certificate, address }: Published,
): Promise<boolean> {
  const own = (await catalog.peers()).find((peer) => peer.id === id);
  if (own === undefined) return false;
  const isKnown = equalBytes(own.certificate, certificate) && (address ?? own.address) === own.address;
  if (!isKnown) await catalog.setPeer({ ...profileIn(own), certificate, address: address ?? own.address });
  return !isKnown;
}

/** What a peer says of itself, without what the authority says of it. */
export function profileIn({ id, address, name, zone, capacityBytes, backup, certificate }: PeerRecord): PeerProfile {
  return { id, address, name, zone, capacityBytes, backup, certificate };
}
