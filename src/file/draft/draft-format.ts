import { concatBytes, u64, utf8 } from '../../bytes.js';
import type { ExtentRef, StripeRecord } from '../../catalog/catalog.js';
import { decodeExtent, encodeExtent } from '../../catalog/view/manifest.js';
import { decodeStripe, encodeStripe } from '../../catalog/wire-records.js';
import { idBytes, parseFileId, parseVersionId, type StripeId } from '../../chunk/ids.js';
import { isNormalPath } from '../../chunk/path.js';
import { decodeBounded } from '../../chunk/signed.js';
import { sealDocument, unsealDocument } from '../../crypto/document-seal.js';
import { derive, KEY_BYTES } from '../../crypto/kdf.js';
import { DERIVE } from '../../crypto/labels.js';
import { sealedBytes } from '../../crypto/seal.js';
import { StorageError } from '../../errors.js';
import * as wire from '../../gen/shoal/v1/draft.js';
import { MAX_DRAFT_HEAD_BYTES, MAX_DRAFT_PART_BYTES } from '../../limits.js';
import type { DraftHead, DraftId, DraftOrigin } from './draft.js';

const FORMAT = 1;
const MAX_MODE = 0o7777;

/** A part of a draft, as it lies in the journal. */
export interface DraftPart {
  readonly fileOffset: number;
  readonly extent: ExtentRef;
  readonly stripe: StripeRecord;
}

/** What the row of a part says in clear; sealed with it, so that no two parts can change places. */
export interface PartPlace {
  readonly fileOffset: number;
  readonly bytes: number;
  readonly stripe: StripeId;
}

/**
 * Seals and opens the journal of one draft. Whoever has the key is the owner: so a text that opened under two keys would
 * serve nobody, and the sealing need not commit to one.
 */
export class DraftSeal {
  readonly #draft: DraftId;
  readonly #key: Uint8Array;

  /** @param directoryKey of the owner, for the salt of the draft */
  constructor(draft: DraftId, directoryKey: Uint8Array) {
    this.#draft = draft;
    this.#key = derive(directoryKey, DERIVE.draft);
  }

  sealHead(head: DraftHead): Uint8Array {
    return sealDocument(this.#key, this.#headContext(), encodeHead(head));
  }

  /** @throws StorageError CORRUPT, LIMIT_EXCEEDED; UNSUPPORTED for a newer format */
  openHead(sealed: Uint8Array): DraftHead {
    return decodeHead(unsealDocument(this.#key, this.#headContext(), sealed));
  }

  sealPart(part: DraftPart): Uint8Array {
    return sealDocument(this.#key, this.#partContext(placeOf(part)), encodePart(part));
  }

  /** @throws StorageError as openHead */
  openPart(place: PartPlace, sealed: Uint8Array): DraftPart {
    const { extent, stripe } = decodePart(unsealDocument(this.#key, this.#partContext(place), sealed));
    if (extent.bytes !== place.bytes || extent.stripe !== place.stripe) throw corrupt('part', 'place');
    return { fileOffset: place.fileOffset, extent, stripe };
  }

  #headContext(): Uint8Array {
    return concatBytes(utf8('head'), idBytes(this.#draft));
  }

  #partContext({ fileOffset, bytes, stripe }: PartPlace): Uint8Array {
    return concatBytes(utf8('part'), idBytes(this.#draft), u64(fileOffset), u64(bytes), idBytes(stripe));
  }
}

export function placeOf({ fileOffset, extent }: DraftPart): PartPlace {
  return { fileOffset, bytes: extent.bytes, stripe: extent.stripe };
}

function encodeHead({ file, version, origin, path, bytes, modifiedMs, mode, createdMs }: DraftHead): Uint8Array {
  const ids = { file: idBytes(file), version: idBytes(version) };
  const plain = { format: FORMAT, path, bytes, modifiedMs, mode, createdMs, ...ids };
  return wire.DraftHead.encode({ ...plain, origin: encodeOrigin(origin) }).finish();
}

function encodeOrigin(origin: DraftOrigin): wire.DraftHead['origin'] {
  return origin.kind === 'local' ? { $case: 'local', value: origin } : { $case: 'remote', value: origin };
}

/** @throws StorageError CORRUPT, LIMIT_EXCEEDED; UNSUPPORTED for a newer format */
export function decodeHead(plain: Uint8Array): DraftHead {
  const decode = (bytes: Uint8Array): DraftHead => headOf(wire.DraftHead.decode(bytes));
  return decodeBounded({ what: 'draft', maxBytes: MAX_DRAFT_HEAD_BYTES, decode }, plain);
}

function headOf({ format, file, version, origin, ...plain }: wire.DraftHead): DraftHead {
  demandFormat(format);
  const { path, bytes, modifiedMs, mode, createdMs } = plain;
  if (!isNormalPath(path)) throw corrupt('draft', 'path');
  if (mode > MAX_MODE) throw corrupt('draft', 'mode');
  const ids = { file: parseFileId(file), version: parseVersionId(version) };
  return { path, bytes, modifiedMs, mode, createdMs, ...ids, origin: originOf(origin) };
}

function originOf(origin: wire.DraftHead['origin']): DraftOrigin {
  if (origin === undefined) throw corrupt('draft', 'origin');
  if (origin.$case === 'remote') return { kind: 'remote', ...origin.value };
  return { kind: 'local', ...origin.value };
}

function encodePart({ extent, stripe }: DraftPart): Uint8Array {
  const part = { format: FORMAT, extent: encodeExtent(extent), stripe: encodeStripe(stripe) };
  return wire.DraftPart.encode(part).finish();
}

/** @throws StorageError CORRUPT, LIMIT_EXCEEDED; UNSUPPORTED for a newer format */
export function decodePart(plain: Uint8Array): Pick<DraftPart, 'extent' | 'stripe'> {
  const decode = (bytes: Uint8Array): Pick<DraftPart, 'extent' | 'stripe'> => partOf(wire.DraftPart.decode(bytes));
  return decodeBounded({ what: 'part of a draft', maxBytes: MAX_DRAFT_PART_BYTES, decode }, plain);
}

function partOf(part: wire.DraftPart): Pick<DraftPart, 'extent' | 'stripe'> {
  demandFormat(part.format);
  if (part.extent === undefined || part.stripe === undefined) throw corrupt('part', 'extent');
  const extent = decodeExtent(part.extent);
  const stripe = decodeStripe(part.stripe);
  const { key, offset, sealedBytes: sealed, bytes } = extent;
  if (key.length !== KEY_BYTES || bytes === 0 || sealed !== sealedBytes(bytes)) throw corrupt('part', 'extent');
  if (extent.stripe !== stripe.id || offset + sealed > stripe.bytes) throw corrupt('part', 'place in its stripe');
  if (stripe.chunks.length !== stripe.k + stripe.m || stripe.placement.length !== stripe.chunks.length)
    throw corrupt('part', 'number of chunks');
  return { extent, stripe };
}

function demandFormat(format: number): void {
  if (format === FORMAT) return;
  throw new StorageError(
    'UNSUPPORTED',
    `This upload was written down in format ${String(format)}; this version of Shoal reads format 1. Upgrade Shoal, or begin anew.`,
  );
}

function corrupt(what: string, field: string): StorageError {
  return new StorageError('CORRUPT', `The journal of uploads is damaged: a ${what} has a wrong ${field}.`);
}
