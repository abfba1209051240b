import { toHex } from '../../bytes.js';
import type { FileId, VersionId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';

declare const brand: unique symbol;

/** Lower-case hex of 16 random bytes. */
export type DraftId = string & { readonly [brand]: 'DraftId' };

/** @throws StorageError NOT_FOUND: whatever else was asked for is no draft */
export function parseDraftId(text: string): DraftId {
  if (!/^[0-9a-f]{32}$/.test(text)) throw noSuchDraft();
  return text as DraftId;
}

export function draftIdOf(bytes: Uint8Array): DraftId {
  return toHex(bytes) as DraftId;
}

/** Said of another user's, too. */
export function noSuchDraft(): StorageError {
  return new StorageError(
    'NOT_FOUND',
    'There is no such upload: it is complete, was given up or has expired. See `shoal uploads list`, or begin anew.',
  );
}

/** Where the bytes of a draft come from. */
export type DraftOrigin =
  /** A local file that this peer reads; another inode, size or time of it is another file. */
  | { readonly kind: 'local'; readonly local: string; readonly inode: string; readonly modifiedMs: number }
  /** A client that sends them, and what it calls them. */
  | { readonly kind: 'remote'; readonly source: string; readonly overwrite: boolean };

/** A file that is to come in parts. */
export interface NewDraft {
  readonly path: string;
  /** Of the whole file. */
  readonly bytes: number;
  readonly modifiedMs: number;
  /** POSIX permission bits. */
  readonly mode: number;
  readonly origin: DraftOrigin;
}

/** What a draft is of. It never changes: every stripe's directory names it. */
export interface DraftHead extends NewDraft {
  readonly file: FileId;
  readonly version: VersionId;
  /** Unix time. */
  readonly createdMs: number;
}

/** How far a draft is. */
export interface DraftSummary extends DraftHead {
  readonly id: DraftId;
  readonly storedBytes: number;
  /** Unix time; later with every part. */
  readonly expiresMs: number;
  /** Bytes are being added. */
  readonly active: boolean;
}
