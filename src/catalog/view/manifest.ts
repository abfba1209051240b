import { toHex } from '../../bytes.js';
import { idBytes, type StripeId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { Extent } from '../../gen/shoal/v1/format.js';
import { MAX_EXTENTS } from '../../limits.js';
import type { ExtentRef, Manifest } from '../catalog.js';

const KEY_BYTES = 32;
/** Permission bits, set-user-id, set-group-id and sticky. */
const MAX_MODE = 0o7777;

export function encodeExtent(extent: ExtentRef): Extent {
  const { key, stripe, offset, sealedBytes, bytes } = extent;
  return { key, stripe: idBytes(stripe), offset, sealedBytes, bytes };
}

/** The key is a copy: it outlives the view that it came from. */
export function decodeExtent(extent: Extent): ExtentRef {
  const { key, stripe, offset, sealedBytes, bytes } = extent;
  return { key: Uint8Array.from(key), stripe: toHex(stripe) as StripeId, offset, sealedBytes, bytes };
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}

export function isExtent({ key, offset, sealedBytes, bytes }: ExtentRef): boolean {
  return key.length === KEY_BYTES && isSize(offset) && isSize(sealedBytes) && isSize(bytes) && bytes > 0;
}

/** @throws StorageError INVALID_ARGUMENT for a manifest that no file could have, LIMIT_EXCEEDED for one with too many extents */
export function checkManifest(manifest: Manifest): void {
  const { bytes, modifiedMs, mode, extents } = manifest;
  if (extents.length > MAX_EXTENTS) {
    throw new StorageError('LIMIT_EXCEEDED', `A file has at most ${String(MAX_EXTENTS)} extents.`);
  }
  const total = extents.reduce((sum, extent) => sum + extent.bytes, 0);
  if (!isSize(modifiedMs) || !isSize(mode) || mode > MAX_MODE || !extents.every(isExtent) || total !== bytes) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      'The manifest does not describe a file: its extents and sizes disagree.',
    );
  }
}
