import type { ChunkHeader } from '../chunk/chunk-store.js';
import { checkDeleteOrder, checkGrant, openDeleteOrder, openGrant } from '../chunk/grant.js';
import type { ChunkId, PeerId, UserId } from '../chunk/ids.js';
import { openLabel } from '../chunk/label.js';
import { StorageError } from '../errors.js';

/** What an owner must have signed before a peer does something for whoever calls. */
export interface Permissions {
  /** @throws StorageError unless the owner lets `source` store this chunk */
  checkPut(header: ChunkHeader, grant: Uint8Array, source: PeerId): void;
  /** @returns what an order to this peer deletes. @throws StorageError unless the owner signed it */
  checkDelete(order: Uint8Array): { readonly owner: UserId; readonly chunks: readonly ChunkId[] };
}

/** By the owner's signatures. Membership is not asked here: see admission.ts. */
export class SignedPermissions implements Permissions {
  readonly #peer: PeerId;
  readonly #nowMs: () => number;

  /** @param peer the one that is asked */
  constructor(peer: PeerId, nowMs: () => number) {
    this.#peer = peer;
    this.#nowMs = nowMs;
  }

  checkPut(header: ChunkHeader, grant: Uint8Array, source: PeerId): void {
    const label = openLabel(header.label);
    if (label.owner !== header.owner) {
      throw new StorageError('PERMISSION_DENIED', 'The label of this chunk is of another owner.');
    }
    if (!label.chunks.includes(header.id) || label.chunkBytes !== header.bytes) {
      throw new StorageError('PERMISSION_DENIED', 'The label does not name this chunk with this length.');
    }
    checkGrant(openGrant(grant), {
      owner: label.owner,
      sourcePeer: source,
      stripe: label.stripe,
      bytes: label.chunks.length * label.chunkBytes,
      nowMs: this.#nowMs(),
    });
  }

  checkDelete(order: Uint8Array): { readonly owner: UserId; readonly chunks: readonly ChunkId[] } {
    const opened = openDeleteOrder(order);
    checkDeleteOrder(opened, { targetPeer: this.#peer, nowMs: this.#nowMs() });
    return opened;
  }
}
