import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { segmentsOf, type ChunkHeader } from '../chunk/chunk-store.js';
import { parsePeerId, parseUserId, type ChunkId } from '../chunk/ids.js';
import { encodeLabel } from '../chunk/label.js';
import { describeChunk, type Segment } from '../chunk/segments.js';
import { sealSigned } from '../chunk/signed.js';
import { userId } from '../crypto/root-key.js';
import { SEGMENT_BYTES } from '../limits.js';
import { MemoryStore } from '../store/memory-store.js';
import type { PeerLinks } from './peer-links.js';
import { pullChunk } from './pull.js';

const signal = new AbortController().signal;
const SOURCE = parsePeerId(new Uint8Array(32).fill(7));

interface Subject {
  readonly pull: (index: number, granted: boolean) => Promise<ChunkHeader>;
  readonly local: MemoryStore;
  readonly remote: MemoryStore;
  readonly ids: readonly ChunkId[];
}

/** A labelled 2+1 stripe that another peer holds whole. */
async function stripe(chunkBytes = 3000, labelled = chunkBytes): Promise<Subject> {
  const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
  const publicKey = key.export({ format: 'der', type: 'spki' }).subarray(-32);
  const owner = parseUserId(userId(publicKey));
  const contents = [1, 2, 3].map((fill) => new Uint8Array(chunkBytes).fill(fill));
  const shapes = contents.map((content) => describeChunk(content));
  const stripeBytes = 2 * labelled;
  const body = encodeLabel({
    owner,
    k: 2,
    m: 1,
    stripeBytes,
    chunkBytes: labelled,
    directoryOffset: stripeBytes - 1024,
    directoryBytes: 1024,
    chunks: shapes.map(({ id }) => id),
  });
  const label = sealSigned('label', body, { privateKey, publicKey });
  const remote = await MemoryStore.open();
  const headers = shapes.map((shape): ChunkHeader => ({ ...shape, owner, label }));
  for (const [i, header] of headers.entries()) {
    await remote.put(header, segmentsOf(contents[i] ?? new Uint8Array(), SEGMENT_BYTES), { signal });
  }
  const links = { store: () => remote } as unknown as PeerLinks;
  const local = await MemoryStore.open();
  const pull = (index: number, granted: boolean): Promise<ChunkHeader> => {
    const header = headers[index];
    assert.ok(header !== undefined);
    return pullChunk({ chunk: header.id, source: SOURCE, label, granted }, { links, local, signal });
  };
  return { pull, local, remote, ids: shapes.map(({ id }) => id) };
}

describe('pullChunk', () => {
  it('keeps a chunk on the strength of its label, and again when it is here already', async () => {
    const { pull, local, ids } = await stripe();
    await pull(1, false);
    await pull(1, false);
    assert.deepEqual([...(await local.has(ids, { signal }))], [ids[1]]);
  });

  it('takes a second chunk of a stripe only with a grant', async () => {
    const { pull, local, ids } = await stripe();
    await pull(0, false);
    await assert.rejects(pull(2, false), { code: 'PERMISSION_DENIED', message: /only with a grant/ });
    assert.equal((await local.has(ids, { signal })).size, 1);
    await pull(2, true);
    assert.equal((await local.has(ids, { signal })).size, 2);
  });

  it('keeps nothing of a source that sends wrong bytes of the right length', async () => {
    const { pull, local, remote, ids } = await stripe();
    const honest = remote.get.bind(remote);
    let asked = 0;
    remote.get = async (id, options) => {
      const found = await honest(id, options);
      asked++;
      const altered = async function* (): AsyncGenerator<Segment> {
        for await (const { index, bytes } of found.segments) yield { index, bytes: bytes.map((byte) => byte ^ 1) };
      };
      return { ...found, segments: altered() };
    };
    await assert.rejects(pull(0, false), { code: 'CORRUPT' });
    assert.ok(asked > 0);
    assert.equal((await local.has(ids, { signal })).size, 0);
    remote.get = honest;
    await pull(0, false);
  });

  it('refuses a chunk of another length than its label gives', async () => {
    const { pull, local, ids } = await stripe(3000, 2000);
    await assert.rejects(pull(0, true), { code: 'PERMISSION_DENIED' });
    assert.equal((await local.has(ids, { signal })).size, 0);
  });
});
