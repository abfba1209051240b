import { COVERED_ID_BYTES } from '../../limits.js';

/** What a document of `user-<id>-<generation>` holds: catalog changes, sums of them, or the extents of a big file. */
export type SealedType = 'change' | 'state' | 'extents';

export const CHANGE_PREFIX = 'change-';
export const STATE_PREFIX = 'state-';
export const EXTENTS_PREFIX = 'extents-';

/** Whether a document says what is in the catalog: the others are asked for when one of these names them. */
export function isViewDocument(id: string): boolean {
  return id.startsWith(CHANGE_PREFIX) || id.startsWith(STATE_PREFIX);
}

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
