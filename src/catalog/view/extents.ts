import { toHex } from '../../bytes.js';
import { ID_BYTES, type PeerId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { type Extent, ExtentList } from '../../gen/shoal/v1/format.js';
import { DOCUMENTS_PER_DOCUMENT, EXTENTS_PER_DOCUMENT, MAX_EXTENTS, MAX_INLINE_DOCUMENTS } from '../../limits.js';
import type { Document } from '../../documents/document-database.js';
import { hashOf } from './document-id.js';
import { decodeSigned } from './operation.js';

/** One document of a large file's extents, and the plain fields that it was written under. */
export interface ExtentsDocument {
  readonly peer: PeerId;
  readonly counter: number;
  readonly list: ExtentList;
}

/** The extents of a large file as documents of their own. */
export interface WrittenExtents {
  /** For the operation: hashes of the documents that it names. */
  readonly names: readonly Uint8Array[];
  readonly documents: readonly Document[];
}

function pagesOf<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, page) =>
    items.slice(page * size, (page + 1) * size),
  );
}

function hashBytes({ _id }: Document): Uint8Array {
  return Buffer.from(hashOf(_id), 'hex');
}

/** In one level of documents or, where their names alone would be too long for a change, in two. */
export function writeExtents(extents: readonly Extent[], seal: (list: ExtentList) => Document): WrittenExtents {
  const leaves = pagesOf(extents, EXTENTS_PER_DOCUMENT).map((page) => seal({ extents: page, documents: [] }));
  const names = leaves.map(hashBytes);
  if (names.length <= MAX_INLINE_DOCUMENTS) return { names, documents: leaves };
  const indexes = pagesOf(names, DOCUMENTS_PER_DOCUMENT).map((page) => seal({ extents: [], documents: page }));
  return { names: indexes.map(hashBytes), documents: [...leaves, ...indexes] };
}

/** @throws StorageError CORRUPT */
export function readExtentList(plain: Uint8Array): ExtentList {
  const list = decodeSigned(plain, () => ExtentList.decode(plain));
  const sound =
    list.extents.every(({ key, stripe }) => key.length === ID_BYTES && stripe.length === ID_BYTES) &&
    list.documents.every(({ length }) => length === ID_BYTES);
  if (!sound) throw new StorageError('CORRUPT', 'The extents of a file are signed by its owner but do not make sense.');
  return list;
}

export async function readExtents(
  hashes: readonly Uint8Array[],
  open: (hash: string) => Promise<ExtentsDocument>,
): Promise<Extent[]> {
  const extents: Extent[] = [];
  const take = async (hash: Uint8Array, isIndex: boolean): Promise<void> => {
    const { list } = await open(toHex(hash));
    for (const extent of list.extents) extents.push(extent);
    if ((list.documents.length > 0 && !isIndex) || extents.length > MAX_EXTENTS) {
      throw new StorageError('CORRUPT', 'The manifest of this file is signed by its owner but does not make sense.');
    }
    for (const document of list.documents) await take(document, false);
  };
  for (const hash of hashes) await take(hash, true);
  return extents;
}
