/**
 * Wrote test/vectors/catalog.json, once: `node dist/test/vectors/make-catalog.js`. The vectors are frozen, so it never
 * overwrites them; a changed format is a new file beside the old one.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { concatBytes, toHex, u32, u64, utf8 } from '../../src/bytes.js';
import { idBytes, parsePeerId } from '../../src/chunk/ids.js';
import { deriveUserKeys } from '../../src/crypto/root-key.js';
import { signEd25519 } from '../../src/crypto/signature.js';
import type { Document } from '../../src/documents/document-database.js';
import { shown } from '../contract/catalog-view.js';
import { MemoryDocuments } from '../contract/memory-documents.js';
import { hash, rootKey, user, version, viewsOf, withState, work } from './catalog-history.js';
import { CATALOG_VECTORS, type CatalogVectors } from './catalog-vectors.js';

async function history(): Promise<Document[]> {
  const [attic, cellar] = [new MemoryDocuments(), new MemoryDocuments()];
  await work(attic, 'attic', async (catalog) => {
    await catalog.commit([version('/photos/cat.jpg'), version('/notes.txt')]);
    await catalog.move('/photos', '/pictures');
    await catalog.commit([version('/large.bin', 257)]);
    await catalog.remove('/notes.txt', { recursive: false, forever: false });
  });
  await cellar.put([...attic.documents.values()].slice(0, 2));
  await work(cellar, 'cellar', async (catalog) => {
    await catalog.commit([version('/large.bin')]);
    await catalog.remove('/pictures/cat.jpg', { recursive: false, forever: true });
  });
  await attic.put([...cellar.documents.values()]);
  return [...attic.documents.values()];
}

function newer(): Document {
  const sealed = Buffer.from('sealed by a later format');
  const peer = parsePeerId(hash('attic'));
  const fields = concatBytes(utf8('change'), Uint8Array.of(0), u32(2), idBytes(user), idBytes(peer), u64(9));
  const signature = signEd25519('change', concatBytes(fields, sealed), deriveUserKeys(rootKey).signing.privateKey);
  const id = createHash('sha256').update(sealed).digest('hex');
  const plain = { type: 'change', format: 2, user, peer, counter: 9 };
  const texts = { sealed: sealed.toString('base64'), signature: Buffer.from(signature).toString('base64') };
  return { _id: `change-${id}`, ...plain, ...texts };
}

function badOf(good: Document): CatalogVectors['bad'] {
  const bad = (what: string, change: object, readOnly = false): CatalogVectors['bad'][number] => {
    return { what, document: { ...good, ...change }, readOnly };
  };
  return [
    bad('under another name', { _id: `change-${'0'.repeat(64)}` }),
    bad('another counter', { counter: Number(good['counter']) + 1 }),
    bad('another peer', { peer: 'a'.repeat(64) }),
    bad('another user', { user: 'a'.repeat(64) }),
    bad('another type', { type: 'state' }),
    bad('a format that nobody signed', { format: 2 }),
    bad('a signature of another text', { signature: Buffer.alloc(64).toString('base64') }),
    bad('no seal', { sealed: '' }),
    bad('fields of other shapes', { sealed: { a: [] }, signature: 7 }),
    { what: 'a later format, signed by the user', document: newer(), readOnly: true },
  ];
}

const changes = await history();
const documents = await withState(changes);
const sets = [
  { what: 'the changes', pick: (_: Document, index: number) => index < changes.length },
  { what: 'the state alone', pick: ({ _id }: Document) => !_id.startsWith('change-') },
  { what: 'both', pick: () => true },
  { what: 'without the first change', pick: (_: Document, index: number) => index > 0 && index < changes.length },
];
const views = await viewsOf(documents, sets, shown);
const [good] = changes;
if (good === undefined) throw new Error('no change was made');
const vectors: CatalogVectors = { rootKey: toHex(rootKey), user, documents, views, bad: badOf(good) };
writeFileSync(CATALOG_VECTORS, `${JSON.stringify(vectors, undefined, 1)}\n`, { flag: 'wx' });
