import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { UserDocuments } from '../../src/catalog/view/user-documents.js';
import { type PeerId, parsePeerId, parseUserId, type UserId } from '../../src/chunk/ids.js';
import { deriveUserKeys, userId } from '../../src/crypto/root-key.js';
import type { Document } from '../../src/documents/document-database.js';
import { silentLogger } from '../../src/log.js';
import { shown } from '../contract/catalog-view.js';
import { MemoryDocuments } from '../contract/memory-documents.js';
import { REPOSITORY } from '../repository.js';

export const CATALOG_VECTORS = join(REPOSITORY, 'test', 'vectors', 'catalog.json');
export const MOVES_VECTORS = join(REPOSITORY, 'test', 'vectors', 'catalog-moves.json');

/** A user's database, and what a reader shows of it. */
export interface CatalogViews {
  /** Hex. */
  readonly rootKey: string;
  readonly user: string;
  /** Every document by itself verifies. */
  readonly documents: readonly Document[];
  /** Any of these sets of documents, by index, in any order, gives its view. */
  readonly views: readonly {
    readonly what: string;
    readonly documents: readonly number[];
    readonly isComplete: boolean;
    /** "file|folder path versions removed-from", as `shown` writes them; in the vectors of moves as `shownWithPlaces` does. */
    readonly shown: readonly string[];
  }[];
}

export interface CatalogVectors extends CatalogViews {
  /** Each is left out, and hides no other. */
  readonly bad: readonly { readonly what: string; readonly document: Document; readonly readOnly: boolean }[];
}

export function readCatalogVectors(): CatalogVectors {
  return JSON.parse(readFileSync(CATALOG_VECTORS, 'utf8')) as CatalogVectors;
}

export function readMovesVectors(): CatalogViews {
  return JSON.parse(readFileSync(MOVES_VECTORS, 'utf8')) as CatalogViews;
}

export function vectorUser(rootKey: Uint8Array): UserId {
  return parseUserId(userId(deriveUserKeys(rootKey).signing.publicKey));
}

export function vectorDocuments(rootKey: Uint8Array, database: MemoryDocuments, peer: PeerId): UserDocuments {
  const keys = deriveUserKeys(rootKey);
  return new UserDocuments(database, {
    user: vectorUser(rootKey),
    peer,
    peerName: 'attic',
    keys,
    logger: silentLogger(),
  });
}

/** What a reader makes of these documents. */
export async function readVector(rootKey: Uint8Array, documents: readonly Document[], show = shown) {
  const database = new MemoryDocuments();
  for (const document of documents) database.documents.set(document._id, document);
  const reader = vectorDocuments(rootKey, database, parsePeerId('e'.repeat(64)));
  const view = await reader.readView();
  const { refused, isNewer } = reader;
  return { shown: show(view), isComplete: view.isComplete, refused, readOnly: isNewer };
}
