/**
 * Wrote test/vectors/catalog.json, once: `node dist/test/vectors/make-catalog.js`. The vectors are frozen, so it never
 * overwrites them; a changed format is a new file beside the old one.
 */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { concatBytes, toHex, u32, u64, utf8 } from '../../src/bytes.js';
import { idBytes, parseFileId, parsePeerId, parseStripeId, parseVersionId } from '../../src/chunk/ids.js';
import type { NewVersion } from '../../src/catalog/catalog.js';
import { writeState } from '../../src/catalog/view/state-writer.js';
import { UserCatalog } from '../../src/catalog/view/user-catalog.js';
import { deriveUserKeys } from '../../src/crypto/root-key.js';
import { signEd25519 } from '../../src/crypto/signature.js';
import type { Document } from '../../src/documents/document-database.js';
import { silentLogger } from '../../src/log.js';
import { HeadKeeper } from '../../src/catalog/view/head-keeper.js';
import { noHeads } from '../contract/catalog-users.js';
import { MemoryDocuments } from '../contract/memory-documents.js';
import { CATALOG_VECTORS, type CatalogVectors, readVector, vectorDocuments, vectorUser } from './catalog-vectors.js';

const hash = (text: string): Buffer => createHash('sha256').update(text).digest();
const rootKey = hash('root key');
const user = vectorUser(rootKey);
const NOW_MS = 1_795_000_000_000;

function version(path: string, extents = 1): NewVersion {
  const list = Array.from({ length: extents }, (_, at) => ({
    key: hash(`key of ${path} ${String(at)}`),
    stripe: parseStripeId(hash('stripe')),
    offset: at * 2000,
    sealedBytes: 1066,
    bytes: 1000,
  }));
  const file = parseFileId(hash(`file ${path}`).subarray(0, 16));
  const id = parseVersionId(hash(`version ${path}`).subarray(0, 16));
  return {
    path,
    manifest: { file, version: id, bytes: extents * 1000, modifiedMs: NOW_MS, mode: 0o644, extents: list },
  };
}

async function work(database: MemoryDocuments, name: string, steps: (catalog: UserCatalog) => Promise<void>) {
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
const dumped = new MemoryDocuments();
const source = new MemoryDocuments();
await source.put(changes);
const peer = parsePeerId(hash('attic'));
const view = await vectorDocuments(rootKey, source, peer).readView();
await writeState(view, vectorDocuments(rootKey, dumped, peer), { base: false, signal: new AbortController().signal });
const documents = [...changes, ...dumped.documents.values()];
const numbers = (pick: (document: Document, index: number) => boolean): number[] =>
  documents.flatMap((document, index) => (pick(document, index) ? [index] : []));
const sets = [
  { what: 'the changes', documents: numbers((_, index) => index < changes.length) },
  { what: 'the state alone', documents: numbers(({ _id }) => !_id.startsWith('change-')) },
  { what: 'both', documents: numbers(() => true) },
  { what: 'without the first change', documents: numbers((_, index) => index > 0 && index < changes.length) },
];
const views = await Promise.all(
  sets.map(async (set) => {
    const { shown, isComplete } = await readVector(
      rootKey,
      documents.filter((_, index) => set.documents.includes(index)),
    );
    return { ...set, isComplete, shown };
  }),
);
const [good] = changes;
if (good === undefined) throw new Error('no change was made');
const vectors: CatalogVectors = { rootKey: toHex(rootKey), user, documents, views, bad: badOf(good) };
writeFileSync(CATALOG_VECTORS, `${JSON.stringify(vectors, undefined, 1)}\n`, { flag: 'wx' });
