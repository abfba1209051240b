/**
 * Wrote test/vectors/catalog-moves.json, once: `node dist/test/vectors/make-catalog-moves.js`. Versions that are stored anew
 * elsewhere (`MoveVersion`), by two peers that do not know of each other, and places that are given back. Frozen as catalog.json.
 */
import { writeFileSync } from 'node:fs';
import type { UserCatalog } from '../../src/catalog/view/user-catalog.js';
import { parseStripeId } from '../../src/chunk/ids.js';
import { toHex } from '../../src/bytes.js';
import type { Document } from '../../src/documents/document-database.js';
import { shownWithPlaces } from '../contract/catalog-view.js';
import { MemoryDocuments } from '../contract/memory-documents.js';
import { extent, hash, rootKey, user, version, viewsOf, withState, work } from './catalog-history.js';
import { type CatalogViews, MOVES_VECTORS } from './catalog-vectors.js';

const OLD = parseStripeId(hash('stripe'));
const LATER_MS = 1_800_000_000_000;

/** What is in the first stripe and wanted is stored in another one. */
async function moveTo(catalog: UserCatalog, stripe: string, wanted: (path: string) => boolean): Promise<void> {
  const live = (await catalog.moves.liveExtents([OLD])).filter(({ path }) => wanted(path));
  await catalog.moves.move(live.map((one, at) => ({ ...one, from: one.extent, to: extent(one.path, at, stripe) })));
}

async function history(): Promise<Document[]> {
  const [attic, cellar] = [new MemoryDocuments(), new MemoryDocuments()];
  await work(attic, 'attic', async (catalog) => {
    await catalog.commit([version('/kept/one'), version('/kept/two', 2), version('/gone')]);
    await catalog.remove('/gone', { recursive: false, forever: false });
  });
  await cellar.put([...attic.documents.values()]);
  await work(attic, 'attic', async (catalog) => {
    await moveTo(catalog, 'fuller', () => true);
    await catalog.giveUpMoved(LATER_MS);
  });
  await work(cellar, 'cellar', async (catalog) => {
    await catalog.move('/kept/one', '/kept/renamed');
    await catalog.commit([version('/kept/three')]);
    await moveTo(catalog, 'another', (path) => path !== '/kept/two');
  });
  await attic.put([...cellar.documents.values()]);
  return [...attic.documents.values()];
}

const changes = await history();
const documents = await withState(changes);
const isChange = (index: number): boolean => index < changes.length;
const sets = [
  { what: 'the changes', pick: (_: Document, index: number) => isChange(index) },
  { what: 'the state alone', pick: (_: Document, index: number) => !isChange(index) },
  { what: 'both', pick: () => true },
  { what: 'moves of what is not known', pick: (_: Document, index: number) => index > 0 && isChange(index) },
  {
    what: 'the changes of one peer',
    pick: ({ peer }: Document, index: number) => isChange(index) && peer === toHex(hash('attic')),
  },
];
const views = await viewsOf(documents, sets, shownWithPlaces);
const vectors: CatalogViews = { rootKey: toHex(rootKey), user, documents, views };
writeFileSync(MOVES_VECTORS, `${JSON.stringify(vectors, undefined, 1)}\n`, { flag: 'wx' });
