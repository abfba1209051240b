import { COVERED_ID_BYTES } from '../../limits.js';

/** What a document of `user-<id>-<generation>` holds: catalog changes, sums of them, or the extents of a big file. */
export type SealedType = 'change' | 'state' | 'extents';

export const CHANGE_PREFIX = 'change-';
export const STATE_PREFIX = 'state-';
export const EXTENTS_PREFIX = 'extents-';

/** @param hash of the sealed bytes, in hex */
export function documentId(type: SealedType, hash: string): string {
  return `${type}-${hash}`;
}

/** The hash in an id. */
export function hashOf(id: string): string {
  return id.slice(id.indexOf('-') + 1);
}

/** How documents are remembered: the beginning of the hash, which no two of a user's documents share. */
export function shortHash(hash: string): string {
  return hash.slice(0, COVERED_ID_BYTES * 2);
}
