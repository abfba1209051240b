import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { CodedNetwork } from '../../test/contract/coded-network.js';
import { NEVER } from '../../test/contract/offer.js';
import type { ChunkStore } from '../chunk/chunk-store.js';
import { describeChunk, segmentRange, type Segment } from '../chunk/segments.js';
import { StorageError } from '../errors.js';
import { SEGMENT_BYTES } from '../limits.js';
import { rebuildChunk, rebuildSegments, type RebuildOptions } from './rebuild.js';

const K = 4;

describe('a chunk that is rebuilt from the others', () => {
  let network: CodedNetwork;
  let moved: number;

  beforeEach(async () => {
    network = await CodedNetwork.open({ k: K, m: 2, chunkBytes: 9 * SEGMENT_BYTES + 9 });
    moved = 0;
  });

  /** Of peer 0, which is this one, and has the chunk that is wanted; so all sources are others. */
  function options(more: Partial<RebuildOptions> = {}): RebuildOptions {
    const onMoved = (bytes: number): void => {
      moved += bytes;
    };
    return { stripe: network.stripe, index: 0, network, signal: NEVER, onMoved, patienceMs: 20, ...more };
  }

  function chunk(index: number): Uint8Array {
    const content = network.chunks[index];
    assert.ok(content !== undefined);
    return content;
  }

  async function rebuild(segments: readonly number[], more: Partial<RebuildOptions> = {}): Promise<void> {
    const index = more.index ?? 0;
    const shape = describeChunk(chunk(index));
    const found: number[] = [];
    for await (const segment of rebuildSegments(options(more), { segments, shape })) {
      const [start, end] = segmentRange(shape.bytes, segment.index);
      assert.deepEqual(Buffer.from(segment.bytes), Buffer.from(chunk(index).subarray(start, end)));
      found.push(segment.index);
    }
    assert.deepEqual(found, segments);
  }

  /** Peer `index` answers what `alter` makes of its segments. */
  function spoil(index: number, alter: (segment: Segment) => Segment): void {
    const store = network.stores[index];
    assert.ok(store !== undefined);
    const honest = store.get.bind(store);
    network.alter(index, async (id, asked) => {
      const found = await honest(id, asked);
      const altered = async function* (): AsyncGenerator<Segment> {
        for await (const segment of found.segments) yield alter(segment);
      };
      return { ...found, segments: altered() };
    });
  }

  function fail(index: number, error: StorageError): void {
    network.alter(index, () => Promise.reject(error));
  }

  const flipped = ({ index, bytes }: Segment): Segment => ({
    index,
    bytes: Uint8Array.from(bytes, (byte) => byte ^ 1),
  });
  const away = new StorageError('UNAVAILABLE', 'It does not answer.');

  it('has the right bytes, whichever segments are asked for, and moves k times as many', async () => {
    await rebuild([0, 3, 9]);
    assert.equal(moved, K * (2 * SEGMENT_BYTES + 9));
    for (const index of [1, 3, 4, 5]) await rebuild([2], { index });
    // There the own chunk is one of the sources.
    assert.equal(moved, K * (2 * SEGMENT_BYTES + 9) + 4 * (K - 1) * SEGMENT_BYTES);
  });

  it('is rebuilt whole without its hash list', async () => {
    const rebuilt = await rebuildChunk(options());
    assert.deepEqual(Buffer.from(rebuilt.content), Buffer.from(chunk(0)));
    const { id, ...shape } = describeChunk(chunk(0));
    assert.deepEqual(rebuilt, { id, shape, content: rebuilt.content });
    assert.equal(moved, K * chunk(0).length);
  });

  it('replaces a source that fails, and says what it has learnt of it', async () => {
    const [, first, second] = network.peers;
    assert.ok(first !== undefined && second !== undefined);
    fail(1, away);
    await rebuild([1]);
    assert.equal(network.book.seemsUp(first), false);
    network = await CodedNetwork.open();
    fail(2, new StorageError('NOT_FOUND', 'Unknown.'));
    await rebuild([1]);
    assert.equal(network.book.seemsUp(second), true);
  });

  const lies: Readonly<Record<string, (segment: Segment) => Segment>> = {
    'wrong bytes': flipped,
    'another segment': ({ index, bytes }) => ({ index: index + 1, bytes }),
    'too few bytes': ({ index, bytes }) => ({ index, bytes: bytes.subarray(1) }),
  };
  for (const [what, altered] of Object.entries(lies)) {
    it(`finds a liar out by the first segment: ${what}`, async () => {
      spoil(1, altered);
      await rebuild([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
      const liar = network.peers[1];
      assert.ok(liar !== undefined);
      assert.equal(network.book.corruptAnswers(liar), 1);
    });
  }

  it('finds a liar out who sends another chunk of the stripe', async () => {
    const [, , liar, honest] = network.stores;
    assert.ok(liar !== undefined && honest !== undefined);
    network.alter(2, (id, asked) => honest.get(network.record.chunks[3] ?? id, asked));
    await rebuild([0]);
    assert.equal(network.book.corruptAnswers(network.links.idOf(liar)), 1);
  });

  it('does not wait for a source that stalls', async () => {
    network.alter(
      1,
      (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            reject(signal.reason as Error);
          });
        }),
    );
    await rebuild([0, 9]);
  });

  it('asks the members where the record is missing, or names the wrong ones', async () => {
    network.known.clear();
    await rebuild([5]);
    const { record, peers } = network;
    const [, one] = peers;
    assert.ok(one !== undefined);
    network.known.set(record.id, { ...record, placement: record.chunks.map(() => ({ peer: one })) });
    await rebuild([5]);
  });

  it('takes each row from whoever has it, where several have rotted in different places', async () => {
    for (const [at, index] of [1, 2, 3, 4, 5].entries()) {
      spoil(index, (segment) => (segment.index === at ? flipped(segment) : segment));
    }
    await rebuild([0, 1, 2, 3, 4, 5]);
  });

  it('says who is missing when there are too few', async () => {
    fail(1, away);
    fail(2, away);
    await assert.rejects(rebuild([0]), (error) => {
      assert.ok(StorageError.is(error, 'UNAVAILABLE'));
      assert.match(error.message, /^Only 3 other chunks .* 4 are needed\. peer-1: .*peer-2: /);
      return true;
    });
  });

  it('says so when the chunks of a stripe were never coded from each other', async () => {
    const foreign = await CodedNetwork.open({ k: K, m: 2, chunkBytes: network.record.chunkBytes });
    const chunks = network.record.chunks.map((id, index) => (index === 0 ? (foreign.record.chunks[0] ?? id) : id));
    const stripe = { ...network.stripe, chunks };
    await assert.rejects(rebuildChunk(options({ stripe })), (error) => StorageError.is(error, 'CORRUPT'));
  });

  it('ends at once when it is aborted, and asks nobody any more', async () => {
    const abort = new AbortController();
    let asked = 0;
    for (const index of [1, 2, 3, 4, 5]) {
      const store = network.stores[index];
      assert.ok(store !== undefined);
      const honest: ChunkStore['get'] = store.get.bind(store);
      network.alter(index, async (id, given) => {
        asked++;
        abort.abort(new StorageError('CANCELLED', 'Enough.'));
        return honest(id, given);
      });
    }
    await assert.rejects(rebuild([0], { signal: abort.signal }), { code: 'CANCELLED' });
    assert.ok(asked <= K);
  });
});
