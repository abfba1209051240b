import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { segmentsOf, type ChunkHeader, type ChunkStore, type Stored } from '../../src/chunk/chunk-store.js';
import { parseUserId, type ChunkId } from '../../src/chunk/ids.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { SEGMENT_BYTES } from '../../src/limits.js';

export const OWNER = parseUserId(new Uint8Array(32).fill(1));

/** A signal that is never aborted. */
export const NEVER = new AbortController().signal;

/** A chunk of random bytes, or of the given ones, as a local store is offered it. */
export function offerOf(content: number | Uint8Array, owner = OWNER): { header: ChunkHeader; content: Uint8Array } {
  const bytes = typeof content === 'number' ? randomBytes(content) : content;
  return { header: { ...describeChunk(bytes), owner, label: randomBytes(40) }, content: bytes };
}

export function putOffer(
  store: ChunkStore,
  offer: { readonly header: ChunkHeader; readonly content: Uint8Array },
): Promise<Stored> {
  return store.put(offer.header, segmentsOf(offer.content, SEGMENT_BYTES), { signal: NEVER });
}

export async function readChunk(store: ChunkStore, id: ChunkId): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const segment of (await store.get(id, { signal: NEVER })).segments)
    parts.push(Uint8Array.from(segment.bytes));
  return Buffer.concat(parts);
}

/** A folder that goes with the test. */
export async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'shoal-store-'));
  // What the test closes after this may still write there.
  context.after(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 }));
  return folder;
}
