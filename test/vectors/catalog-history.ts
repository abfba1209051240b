import { createHash } from 'node:crypto';
import type { ExtentRef, NewVersion } from '../../src/catalog/catalog.js';
import { HeadKeeper } from '../../src/catalog/view/head-keeper.js';
import { writeState } from '../../src/catalog/view/state-writer.js';
import { UserCatalog } from '../../src/catalog/view/user-catalog.js';
import type { View } from '../../src/catalog/view/view.js';
import { parseFileId, parsePeerId, parseStripeId, parseVersionId } from '../../src/chunk/ids.js';
import { deriveUserKeys } from '../../src/crypto/root-key.js';
import type { Document } from '../../src/documents/document-database.js';
import { silentLogger } from '../../src/log.js';
import { noHeads } from '../contract/catalog-users.js';
import { MemoryDocuments } from '../contract/memory-documents.js';
import { type CatalogViews, readVector, vectorDocuments, vectorUser } from './catalog-vectors.js';

export const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
export const rootKey = hash('root key');
export const user = vectorUser(rootKey);
const NOW_MS = 1_795_000_000_000;
const attic = parsePeerId(hash('attic'));

export function extent(of: string, at = 0, stripe = 'stripe'): ExtentRef {
  const key = hash(`key of ${of} ${String(at)}`);
  return { key, stripe: parseStripeId(hash(stripe)), offset: at * 2000, sealedBytes: 1066, bytes: 1000 };
}

export function version(path: string, count = 1): NewVersion {
  const extents = Array.from({ length: count }, (_, at) => extent(path, at));
  const file = parseFileId(hash(`file ${path}`).subarray(0, 16));
  const id = parseVersionId(hash(`version ${path}`).subarray(0, 16));
  return {
    path,
    manifest: { file, version: id, bytes: count * 1000, modifiedMs: NOW_MS, mode: 0o644, extents },
  };
}

export async function work(
  database: MemoryDocuments,
  name: string,
  steps: (catalog: UserCatalog) => Promise<void>,
): Promise<void> {
  const options = { user, keys: deriveUserKeys(rootKey), logger: silentLogger(), now: () => NOW_MS };
  const peer = parsePeerId(hash(name));
  const at = {
    database,
    peer,
    peerName: name,
    homes: () => Promise.resolve([peer]),
    heads: new HeadKeeper(noHeads(options.logger)),
  };
  const catalog = await UserCatalog.open({ ...options, ...at });
  await steps(catalog);
  await catalog.close();
}

/** The changes, and a dump of the view behind them. */
export async function withState(changes: readonly Document[]): Promise<Document[]> {
  const [source, dumped] = [new MemoryDocuments(), new MemoryDocuments()];
  await source.put([...changes]);
  const view = await vectorDocuments(rootKey, source, attic).readView();
  await writeState(view, vectorDocuments(rootKey, dumped, attic), {
    base: false,
    signal: new AbortController().signal,
  });
  return [...changes, ...dumped.documents.values()];
}

export interface VectorSet {
  readonly what: string;
  readonly pick: (document: Document, index: number) => boolean;
}

export async function viewsOf(
  documents: readonly Document[],
  sets: readonly VectorSet[],
  show: (view: View) => string[],
): Promise<CatalogViews['views']> {
  const views = sets.map(async ({ what, pick }) => {
    const { shown, isComplete } = await readVector(rootKey, documents.filter(pick), show);
    const picked = documents.flatMap((document, index) => (pick(document, index) ? [index] : []));
    return { what, documents: picked, isComplete, shown };
  });
  return Promise.all(views);
}
