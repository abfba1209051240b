import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { segmentsOf, type ChunkHeader } from '../../src/chunk/chunk-store.js';
import { parseUserId, type ChunkId, type UserId } from '../../src/chunk/ids.js';
import { StorageError } from '../../src/errors.js';
import { SEGMENT_BYTES } from '../../src/limits.js';
import { DiskStore } from '../../src/store/disk-store.js';
import { NEVER, offerOf, OWNER, readChunk } from '../contract/offer.js';

const OWNERS: readonly UserId[] = [OWNER, parseUserId(new Uint8Array(32).fill(2))];

/** Rows, files, and sizes on either side of a segment's end. */
const CONTENTS = [1, 900, 70_000, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES].map((bytes, index) =>
  new Uint8Array(bytes).fill(index + 1),
);

type Step =
  | { readonly does: 'put' | 'delete'; readonly chunk: number; readonly owner: number }
  | { readonly does: 'break'; readonly chunk: number; readonly owner: number; readonly after: number }
  | { readonly does: 'reopen' };

const chunk = fc.nat({ max: CONTENTS.length - 1 });
const owner = fc.nat({ max: OWNERS.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ does: fc.constant('put' as const), chunk, owner }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('break' as const), chunk, owner, after: fc.nat({ max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('delete' as const), chunk, owner }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('reopen' as const) }) },
);

/** A store beside the plainest thing that behaves like one: which owners claim which chunk. */
class Pair {
  readonly #directory: string;
  #store: DiskStore;
  readonly #claims = new Map<ChunkId, { readonly content: Uint8Array; readonly owners: Set<UserId> }>();

  constructor(directory: string, store: DiskStore) {
    this.#directory = directory;
    this.#store = store;
  }

  async close(): Promise<void> {
    await this.#store.close();
  }

  /** Steps without order between them: the store sorts them out for itself, chunk by chunk. */
  async takeTogether(steps: readonly Step[]): Promise<void> {
    const seen = new Set<number>();
    const together: Promise<void>[] = [];
    for (const one of steps) {
      if (one.does === 'reopen') continue;
      if (seen.has(one.chunk)) continue;
      seen.add(one.chunk);
      together.push(this.#take(one));
    }
    await Promise.all(together);
    if (steps.some(({ does }) => does === 'reopen')) await this.#reopen();
  }

  async #reopen(): Promise<void> {
    await this.#store.close();
    this.#store = await DiskStore.open({ directory: this.#directory, reserveBytes: 0 });
  }

  async #take(one: Exclude<Step, { does: 'reopen' }>): Promise<void> {
    const content = CONTENTS[one.chunk] ?? assert.fail();
    const user = OWNERS[one.owner] ?? assert.fail();
    const { header } = offerOf(content, user);
    if (one.does === 'break') await this.#break(header, content, one.after);
    else if (one.does === 'put') await this.#put(header, content);
    else await this.#delete(header);
  }

  async #put(header: ChunkHeader, content: Uint8Array): Promise<void> {
    await this.#store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal: NEVER });
    this.#claim(header, content);
  }

  #claim(header: ChunkHeader, content: Uint8Array): void {
    const known = this.#claims.get(header.id) ?? { content, owners: new Set() };
    this.#claims.set(header.id, known);
    known.owners.add(header.owner);
  }

  async #delete(header: ChunkHeader): Promise<void> {
    await this.#store.delete(header.owner, [header.id], { signal: NEVER });
    const known = this.#claims.get(header.id);
    known?.owners.delete(header.owner);
    if (known?.owners.size === 0) this.#claims.delete(header.id);
  }

  /** A put that breaks after some segments, unless none was asked for. */
  async #break(header: ChunkHeader, content: Uint8Array, after: number): Promise<void> {
    const put = this.#store.put(
      header,
      async function* (missing) {
        yield* segmentsOf(content, SEGMENT_BYTES)(missing.slice(0, after));
        throw new StorageError('UNAVAILABLE', 'The line broke.');
      },
      { signal: NEVER },
    );
    try {
      await put;
      this.#claim(header, content);
    } catch (error) {
      assert.ok(StorageError.is(error, 'UNAVAILABLE'));
    }
  }

  async assertEqual(): Promise<void> {
    for (const content of CONTENTS) {
      const { id } = offerOf(content).header;
      if (this.#claims.has(id)) assert.ok((await readChunk(this.#store, id)).equals(content));
      else await assert.rejects(readChunk(this.#store, id), { code: 'NOT_FOUND' });
    }
    const listed: string[] = [];
    for await (const { id, owner: claimant, bytes } of this.#store.list({ signal: NEVER })) {
      listed.push(`${id} ${claimant}`);
      assert.equal(bytes, this.#claims.get(id)?.content.length);
    }
    const expected = [...this.#claims].flatMap(([id, { owners }]) => [...owners].map((user) => `${id} ${user}`));
    assert.deepEqual(listed, expected.sort());
    const { chunks, bytes } = await this.#store.usage();
    const total = [...this.#claims.values()].reduce((sum, { content }) => sum + content.length, 0);
    assert.deepEqual({ chunks, bytes }, { chunks: this.#claims.size, bytes: total });
  }
}

describe('DiskStore', () => {
  it('equals a map of claims after any interleaving of put, broken put, delete and reopen', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { maxLength: 12 }), async (rounds) => {
        const directory = await mkdtemp(join(tmpdir(), 'shoal-property-'));
        const pair = new Pair(directory, await DiskStore.open({ directory, reserveBytes: 0 }));
        try {
          for (const round of rounds) {
            await pair.takeTogether(round);
            await pair.assertEqual();
          }
        } finally {
          await pair.close();
          await rm(directory, { recursive: true });
        }
      }),
      { numRuns: 30 },
    );
  });
});
