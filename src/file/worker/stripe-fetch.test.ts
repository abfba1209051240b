import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describeChunk, segmentRange, type ChunkShape, type Segment } from '../../chunk/segments.js';
import { StripeBuffer } from '../../erasure/stripe-buffer.js';
import { StorageError } from '../../errors.js';
import type { StripeId } from '../../chunk/ids.js';
import { FETCH_PATIENCE_MS, FETCH_RETRY_DELAYS_MS, HEDGE_AFTER_MS, SEGMENT_BYTES } from '../../limits.js';
import { StripeFetch, type StripeSources, type WantedRows } from './stripe-fetch.js';

const NEVER = new AbortController().signal;
const [K, M] = [4, 2];
const ROWS = 3;
const CHUNK_BYTES = (ROWS - 1) * SEGMENT_BYTES + 1000;
const ALL: WantedRows = new Map(Array.from({ length: K }, (_, chunk) => [chunk, new Set([0, 1, 2])]));

type Behaviour =
  'good' | 'gone' | 'refuses' | 'hangs' | 'wrong bytes' | 'one wrong segment' | 'other length' | 'stops half-way';

interface Asked {
  readonly chunk: number;
  readonly segments: readonly number[];
  readonly signal: AbortSignal;
  /** Lets a chunk that hangs go on. */
  readonly release: () => void;
}

/** A coded stripe whose chunks are had from peers that behave as they are told. */
class Stripe {
  readonly contents: readonly Uint8Array[];
  readonly shapes: readonly ChunkShape[];
  readonly behaviour: Behaviour[] = Array.from({ length: K + M }, () => 'good');
  readonly asked: Asked[] = [];
  pace: readonly number[] = Array.from({ length: K + M }, () => 0);

  constructor() {
    const buffer = new StripeBuffer();
    buffer.shape(K, M, CHUNK_BYTES);
    buffer.data().set(randomBytes(K * CHUNK_BYTES));
    buffer.encode();
    this.contents = Array.from({ length: K + M }, (_, index) => Uint8Array.from(buffer.chunk(index)));
    this.shapes = this.contents.map((content) => describeChunk(content));
  }

  get sources(): StripeSources {
    const sources = this.shapes.map((_, chunk) => ({ name: `peer-${String(chunk + 1)}` }));
    return { stripe: 'ab'.repeat(32) as StripeId, k: K, chunkBytes: CHUNK_BYTES, pace: this.pace, sources };
  }

  get chunks(): number[] {
    return this.asked.map(({ chunk }) => chunk).toSorted((a, b) => a - b);
  }

  readonly fetch = async (
    chunk: number,
    segments: readonly number[],
    signal: AbortSignal,
  ): Promise<{ shape: ChunkShape; segments: AsyncIterable<Segment> }> => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    this.asked.push({ chunk, segments, signal, release });
    const shape = this.shapes[chunk];
    assert.ok(shape !== undefined);
    if (this.behaviour[chunk] === 'gone') throw new StorageError('UNAVAILABLE', 'Nobody answers.');
    if (this.behaviour[chunk] === 'refuses') throw new StorageError('NOT_FOUND', 'There is no such chunk.');
    if (this.behaviour[chunk] === 'other length') return { shape: { ...shape, bytes: 1 }, segments: this.#none() };
    if (this.behaviour[chunk] === 'hangs') await Promise.race([released, whenAborted(signal)]);
    return { shape, segments: this.#send(chunk, segments) };
  };

  async *#none(): AsyncGenerator<Segment> {
    // A chunk of another length is refused before its first segment.
  }

  async *#send(chunk: number, segments: readonly number[]): AsyncGenerator<Segment> {
    for (const index of segments) {
      if (this.behaviour[chunk] === 'stops half-way' && index > 0) {
        throw new StorageError('UNAVAILABLE', 'The connection broke.');
      }
      const bytes = this.contents[chunk]?.slice(...segmentRange(CHUNK_BYTES, index)) ?? new Uint8Array();
      const wrong =
        this.behaviour[chunk] === 'wrong bytes' || (this.behaviour[chunk] === 'one wrong segment' && index === 1);
      if (wrong) bytes[7] = (bytes[7] ?? 0) ^ 1;
      yield { index, bytes };
    }
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason as Error);
    });
  });
}

describe('StripeFetch', () => {
  let stripe: Stripe;
  let buffer: StripeBuffer;

  beforeEach(() => {
    stripe = new Stripe();
    buffer = new StripeBuffer();
    buffer.shape(K, M, CHUNK_BYTES);
    buffer.data().fill(0);
  });

  function open(): StripeFetch {
    return new StripeFetch(stripe.sources, buffer, stripe.fetch);
  }

  function assertLoaded(wanted: WantedRows): void {
    for (const [chunk, rows] of wanted) {
      for (const row of rows) {
        const range = segmentRange(CHUNK_BYTES, row);
        const good = Buffer.from(stripe.contents[chunk] ?? []).subarray(...range);
        assert.ok(good.equals(buffer.chunk(chunk).subarray(...range)), `chunk ${String(chunk)}, row ${String(row)}`);
      }
    }
  }

  it('asks for what is wanted and nothing else while all is well', async () => {
    const wanted = new Map([
      [0, new Set([2])],
      [3, new Set([1, 0])],
    ]);
    await open().load(wanted, NEVER);
    assertLoaded(wanted);
    assert.deepEqual(
      stripe.asked.map(({ chunk, segments }) => [chunk, segments]),
      [
        [0, [2]],
        [3, [0, 1]],
      ],
    );
  });

  it('does not ask again for what it has', async () => {
    const fetch = open();
    await fetch.load(ALL, NEVER);
    await fetch.load(ALL, NEVER);
    assert.deepEqual(stripe.chunks, [0, 1, 2, 3]);
  });

  for (const behaviour of ['gone', 'other length', 'stops half-way'] as const) {
    it(`replaces any two chunks that fail: ${behaviour}`, async () => {
      for (const lost of [[0, 3], [1, 4], [2]]) {
        stripe = new Stripe();
        for (const chunk of lost) stripe.behaviour[chunk] = behaviour;
        await open().load(ALL, NEVER);
        assertLoaded(ALL);
      }
    });
  }

  it('rebuilds any wanted rows without any two chunks', async () => {
    const rows = fc.uniqueArray(fc.nat({ max: ROWS - 1 }), { minLength: 1 }).map((list) => new Set(list));
    const wanted = fc.uniqueArray(fc.tuple(fc.nat({ max: K - 1 }), rows), {
      minLength: 1,
      selector: ([chunk]) => chunk,
    });
    const lost = fc.uniqueArray(fc.nat({ max: K + M - 1 }), { maxLength: M });
    await fc.assert(
      fc.asyncProperty(wanted, lost, async (pairs, chunks) => {
        stripe.behaviour.fill('good');
        for (const chunk of chunks) stripe.behaviour[chunk] = 'gone';
        buffer.data().fill(0);
        await open().load(new Map(pairs), NEVER);
        assertLoaded(new Map(pairs));
      }),
      { numRuns: 40 },
    );
  });

  it('passes over a chunk that seems down, and asks for it when nothing else is left', async () => {
    stripe.pace = [0, Infinity, 0, 0, 0, 0];
    await open().load(ALL, NEVER);
    assert.deepEqual(stripe.chunks, [0, 2, 3, 4]);
    stripe.asked.length = 0;
    stripe.behaviour[4] = stripe.behaviour[5] = 'gone';
    await open().load(ALL, NEVER);
    assertLoaded(ALL);
    assert.ok(stripe.chunks.includes(1));
  });

  it('passes over a source that is much slower than the others', async () => {
    stripe.pace = [50, 50, 900, 50, 50, 50];
    await open().load(ALL, NEVER);
    assert.deepEqual(stripe.chunks, [0, 1, 3, 4]);
  });

  it('asks every peer of a slow network for its part only, though the own disk is faster', async () => {
    stripe.pace = [2, 300, 310, 290, 305, 300];
    await open().load(ALL, NEVER);
    assert.deepEqual(stripe.chunks, [0, 1, 2, 3]);
  });

  it('finds wrong segments by the hash list, gets them elsewhere, and does not ask a liar again', async () => {
    stripe.behaviour[1] = 'wrong bytes';
    const fetch = open();
    const liars: number[] = [];
    const onLiar = (chunk: number): number => liars.push(chunk);
    await fetch.load(ALL, NEVER);
    assert.deepEqual(fetch.discardCorrupt([0, 2], onLiar), new Map([[1, [0, 2]]]));
    assert.deepEqual(liars, [], 'damage in one place');
    await fetch.load(ALL, NEVER);
    assert.deepEqual(fetch.discardCorrupt([1], onLiar), new Map([[1, [1]]]));
    assert.deepEqual(liars, [1]);
    await fetch.load(ALL, NEVER);
    assertLoaded(ALL);
    assert.equal(stripe.chunks.filter((chunk) => chunk === 1).length, 1);
    assert.deepEqual(fetch.discardCorrupt([0, 1, 2], onLiar), new Map());
    assert.deepEqual(liars, [1]);
  });

  it('reads around one wrong segment when only as many sources are left as are needed', async () => {
    for (const chunk of [4, 5]) stripe.behaviour[chunk] = 'refuses';
    const fetch = open();
    stripe.behaviour[2] = 'one wrong segment';
    await fetch.load(ALL, NEVER);
    stripe.behaviour[4] = 'good';
    assert.deepEqual(fetch.discardCorrupt([0, 1, 2]), new Map([[2, [1]]]));
    await fetch.load(ALL, NEVER);
    assertLoaded(ALL);
    assert.deepEqual(
      stripe.asked.slice(K).map(({ chunk, segments }) => [chunk, segments]),
      [[4, [1]]],
      'one row of one other chunk',
    );
  });

  it('takes from a source with one wrong segment what else it has', async () => {
    stripe.behaviour[0] = 'one wrong segment';
    const fetch = open();
    await fetch.load(new Map([[0, new Set([1])]]), NEVER);
    assert.deepEqual(fetch.discardCorrupt([1]), new Map([[0, [1]]]));
    const wanted: WantedRows = new Map([[0, new Set([0, 2])]]);
    await fetch.load(wanted, NEVER);
    assertLoaded(wanted);
    assert.deepEqual(
      stripe.asked.map(({ chunk, segments }) => [chunk, segments]),
      [
        [0, [1]],
        [0, [0, 2]],
      ],
    );
  });

  it('computes again what it had rebuilt from a wrong segment', async () => {
    stripe.behaviour[0] = 'gone';
    stripe.behaviour[4] = 'wrong bytes';
    const fetch = open();
    await fetch.load(ALL, NEVER);
    assert.deepEqual(fetch.discardCorrupt([0, 1, 2]), new Map([[4, [0, 1, 2]]]));
    await fetch.load(ALL, NEVER);
    assertLoaded(ALL);
  });

  it('ends with the reason when it is aborted, and every request with it', async () => {
    stripe.behaviour.fill('hangs');
    const abort = new AbortController();
    const loading = open().load(ALL, abort.signal);
    const reason = new Error('enough');
    abort.abort(reason);
    await assert.rejects(loading, (error) => error === reason);
    assert.ok(stripe.asked.every(({ signal }) => signal.aborted));
  });
});

describe('StripeFetch, when a source is slow', () => {
  let stripe: Stripe;
  let fetch: StripeFetch;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
    stripe = new Stripe();
    const buffer = new StripeBuffer();
    buffer.shape(K, M, CHUNK_BYTES);
    fetch = new StripeFetch(stripe.sources, buffer, stripe.fetch);
  });
  afterEach(() => {
    mock.timers.reset();
  });

  /** Everything that needs no time happens. */
  async function settle(): Promise<void> {
    for (let n = 0; n < 20; n++) await turn();
  }

  it('asks another one after a while, and cancels the slow one when that is faster', async () => {
    stripe.behaviour[2] = 'hangs';
    const loading = fetch.load(ALL, NEVER);
    await settle();
    mock.timers.tick(HEDGE_AFTER_MS - 1);
    await settle();
    assert.deepEqual(stripe.chunks, [0, 1, 2, 3]);
    mock.timers.tick(1);
    await loading;
    assert.deepEqual(stripe.chunks, [0, 1, 2, 3, 4]);
    assert.ok(stripe.asked.find(({ chunk }) => chunk === 2)?.signal.aborted);
  });

  it('takes the slow one when it comes before the other', async () => {
    for (const chunk of [2, 4, 5]) stripe.behaviour[chunk] = 'hangs';
    const loading = fetch.load(ALL, NEVER);
    await settle();
    mock.timers.tick(HEDGE_AFTER_MS);
    await settle();
    assert.ok(stripe.chunks.includes(4));
    stripe.asked.find(({ chunk }) => chunk === 2)?.release();
    await loading;
    assert.ok(stripe.asked.find(({ chunk }) => chunk === 4)?.signal.aborted);
  });

  it('asks a third one when the second is slow too', async () => {
    for (const chunk of [2, 4]) stripe.behaviour[chunk] = 'hangs';
    const loading = fetch.load(ALL, NEVER);
    for (let n = 0; n < 2; n++) {
      await settle();
      mock.timers.tick(HEDGE_AFTER_MS);
    }
    await loading;
    assert.deepEqual(stripe.chunks, [0, 1, 2, 3, 4, 5]);
  });

  it('waits for slow ones when nobody else is left', async () => {
    for (const chunk of [0, 1]) stripe.behaviour[chunk] = 'gone';
    for (const chunk of [2, 5]) stripe.behaviour[chunk] = 'hangs';
    const loading = fetch.load(ALL, NEVER);
    for (let n = 0; n < 5; n++) {
      await settle();
      mock.timers.tick(HEDGE_AFTER_MS);
    }
    for (const { release } of stripe.asked) release();
    await loading;
  });

  /** Lets time pass until `loading` is settled, one timer after the other. */
  async function pass(loading: Promise<unknown>): Promise<number> {
    const state = { ended: false };
    const end = (): void => void (state.ended = true);
    loading.then(end, end);
    let ms = 0;
    for (; !state.ended; ms += 100) {
      await settle();
      mock.timers.tick(100);
      assert.ok(ms < 10 * FETCH_PATIENCE_MS, 'it ends');
    }
    return ms;
  }

  it('asks a source again that failed in a passing way, ever later, when the others do not suffice', async () => {
    for (const chunk of [1, 4, 5]) stripe.behaviour[chunk] = 'gone';
    const loading = fetch.load(ALL, NEVER);
    await settle();
    assert.deepEqual(stripe.chunks, [0, 1, 2, 3, 4, 5]);
    mock.timers.tick((FETCH_RETRY_DELAYS_MS[0] ?? 0) - 1);
    await settle();
    assert.equal(stripe.asked.length, 6);
    mock.timers.tick(1);
    await settle();
    assert.equal(stripe.chunks.filter((chunk) => chunk === 1).length, 2);
    stripe.behaviour[5] = 'good';
    mock.timers.tick(FETCH_RETRY_DELAYS_MS[1] ?? 0);
    await loading;
    const again = stripe.asked.filter(({ chunk }) => chunk === 5).at(-1);
    assert.deepEqual(again?.segments, [0, 1, 2]);
  });

  it('gives up in the end, and says of which stripe how much is there, who failed and why', async () => {
    for (const chunk of [0, 2, 5]) stripe.behaviour[chunk] = 'gone';
    const loading = fetch.load(ALL, NEVER);
    const rejected = assert.rejects(loading, {
      code: 'UNAVAILABLE',
      message:
        /^Only 3 of the 6 chunks of stripe abababababab… can be had, and 4 are needed\. peer-1: Nobody answers\. peer-3: Nobody answers\. peer-6: Nobody answers\. Start/,
    });
    const ms = await pass(loading);
    await rejected;
    assert.ok(ms <= FETCH_PATIENCE_MS, `${String(ms)} ms`);
    for (const chunk of [0, 2, 5])
      assert.equal(stripe.chunks.filter((asked) => asked === chunk).length, 1 + FETCH_RETRY_DELAYS_MS.length);
  });

  it('does not ask again for what a source does not have', async () => {
    for (const chunk of [0, 2, 5]) stripe.behaviour[chunk] = 'refuses';
    await assert.rejects(fetch.load(ALL, NEVER), { code: 'UNAVAILABLE', message: /There is no such chunk/ });
    assert.deepEqual(stripe.chunks, [0, 1, 2, 3, 4, 5]);
  });

  it('does not wait for a source that failed while others suffice', async () => {
    stripe.behaviour[1] = 'gone';
    await fetch.load(ALL, NEVER);
    assert.deepEqual(stripe.chunks, [0, 1, 2, 3, 4]);
  });
});
