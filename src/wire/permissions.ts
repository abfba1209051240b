import type { ChunkHeader } from '../chunk/chunk-store.js';
import { checkDeleteOrder, checkGrant, openDeleteOrder, openGrant } from '../chunk/grant.js';
import type { ChunkId, PeerId, UserId } from '../chunk/ids.js';
import { checkInventoryOrder, openInventoryOrder } from '../chunk/inventory-order.js';
import { openLabel, type ReadLabel } from '../chunk/label.js';
import { StorageError } from '../errors.js';

export interface AskedPull {
  readonly chunk: ChunkId;
  readonly label: Uint8Array;
  /** Empty = none. */
  readonly grant: Uint8Array;
}

/** What an owner must have signed before a peer does something for whoever calls. */
export interface Permissions {
  /** @throws StorageError unless the owner lets `source` store this chunk */
  checkPut(header: ChunkHeader, grant: Uint8Array, source: PeerId): void;
  /**
   * @returns true when the owner lets `source` store this stripe; false when only the owner's label vouches for the chunk
   * @throws StorageError for a label that does not name the chunk, or a grant that does not allow it
   */
  checkPull(asked: AskedPull, source: PeerId): boolean;
  /** @returns what an order to this peer deletes. @throws StorageError unless the owner signed it */
  checkDelete(order: Uint8Array): { readonly owner: UserId; readonly chunks: readonly ChunkId[] };
  /** @returns whose chunks are told to `source`. @throws StorageError unless the owner signed the order for both peers */
  checkList(order: Uint8Array, source: PeerId): UserId;
}

/** The newest generation of an owner's keys that this peer knows of; undefined for an owner that it does not know. */
export type CurrentGeneration = (owner: UserId) => number | undefined;

/** By the owner's signatures. Membership is not asked here: see admission.ts. */
export class SignedPermissions implements Permissions {
  readonly #peer: PeerId;
  readonly #nowMs: () => number;
  readonly #currentGeneration: CurrentGeneration;

  /**
   * @param peer the one that is asked
   * @param currentGeneration keys of an older one were retired: what they sign allows nothing new any more
   */
  constructor(peer: PeerId, nowMs: () => number, currentGeneration: CurrentGeneration = () => undefined) {
    this.#peer = peer;
    this.#nowMs = nowMs;
    this.#currentGeneration = currentGeneration;
  }

  checkPut(header: ChunkHeader, grant: Uint8Array, source: PeerId): void {
    const label = openLabel(header.label);
    if (label.owner !== header.owner) {
      throw new StorageError('PERMISSION_DENIED', 'The label of this chunk is of another owner.');
    }
    if (!label.chunks.includes(header.id) || label.chunkBytes !== header.bytes) {
      throw new StorageError('PERMISSION_DENIED', 'The label does not name this chunk with this length.');
    }
    this.#checkGrant(label, grant, source);
  }

  #checkGrant(label: ReadLabel, grant: Uint8Array, source: PeerId): void {
    const opened = openGrant(grant);
    // The label may be older: it says what the chunk is, and allows nothing.
    this.#checkGeneration(opened);
    checkGrant(opened, {
      owner: label.owner,
      sourcePeer: source,
      stripe: label.stripe,
      bytes: label.chunks.length * label.chunkBytes,
      nowMs: this.#nowMs(),
    });
  }

  checkPull({ chunk, label, grant }: AskedPull, source: PeerId): boolean {
    const opened = openLabel(label);
    if (!opened.chunks.includes(chunk)) {
      throw new StorageError('PERMISSION_DENIED', 'The label does not name this chunk.');
    }
    if (grant.length === 0) return false;
    this.#checkGrant(opened, grant, source);
    return true;
  }

  checkDelete(order: Uint8Array): { readonly owner: UserId; readonly chunks: readonly ChunkId[] } {
    const opened = openDeleteOrder(order);
    this.#checkGeneration(opened);
    checkDeleteOrder(opened, { targetPeer: this.#peer, nowMs: this.#nowMs() });
    return opened;
  }

  checkList(order: Uint8Array, source: PeerId): UserId {
    const opened = openInventoryOrder(order);
    this.#checkGeneration(opened);
    checkInventoryOrder(opened, { sourcePeer: source, targetPeer: this.#peer, nowMs: this.#nowMs() });
    return opened.owner;
  }

  #checkGeneration({ owner, generation }: { readonly owner: UserId; readonly generation: number }): void {
    if (generation >= (this.#currentGeneration(owner) ?? 1)) return;
    throw new StorageError(
      'PERMISSION_DENIED',
      'This was signed with keys that their owner has retired. Unlock the user again and repeat it.',
    );
  }
}
