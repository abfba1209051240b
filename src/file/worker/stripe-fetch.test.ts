import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describeChunk, segmentRange, type ChunkShape, type Segment } from '../../chunk/segments.js';
import { StripeBuffer } from '../../erasure/stripe-buffer.js';
import { StorageError } from '../../errors.js';
import { HEDGE_AFTER_MS, SEGMENT_BYTES } from '../../limits.js';
import { StripeFetch, type WantedRows } from './stripe-fetch.js';

const NEVER = new AbortController().signal;
const [K, M] = [4, 2];
const ROWS = 3;
const CHUNK_BYTES = (ROWS - 1) * SEGMENT_BYTES + 1000;
const ALL: WantedRows = new Map(Array.from({ length: K }, (_, chunk) => [chunk, new Set([0, 1, 2])]));

type Behaviour = 'good' | 'gone' | 'hangs' | 'wrong bytes' | 'other length' | 'stops half-way';

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
      if (this.behaviour[chunk] === 'wrong bytes') bytes[7] = (bytes[7] ?? 0) ^ 1;
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
    return new StripeFetch({ k: K, chunkBytes: CHUNK_BYTES, pace: stripe.pace }, buffer, stripe.fetch);
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

  it('says how many chunks are left when they are too few', async () => {
    for (const chunk of [0, 2, 5]) stripe.behaviour[chunk] = 'gone';
    await assert.rejects(open().load(ALL, NEVER), {
      code: 'UNAVAILABLE',
      message: /^Only 3 of the 6 chunks of a stripe can be had, and 4 are needed\..* Nobody answers\.$/,
    });
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

  it('finds wrong segments by the hash list, gets them elsewhere, and does not ask the culprit again', async () => {
    stripe.behaviour[1] = 'wrong bytes';
    const fetch = open();
    await fetch.load(ALL, NEVER);
    assert.deepEqual(fetch.discardCorrupt([0, 2]), new Map([[1, [0, 2]]]));
    await fetch.load(ALL, NEVER);
    assert.deepEqual(fetch.discardCorrupt([1]), new Map([[1, [1]]]));
    await fetch.load(ALL, NEVER);
    assertLoaded(ALL);
    assert.equal(stripe.chunks.filter((chunk) => chunk === 1).length, 1);
    assert.deepEqual(fetch.discardCorrupt([0, 1, 2]), new Map());
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
    fetch = new StripeFetch({ k: K, chunkBytes: CHUNK_BYTES, pace: stripe.pace }, buffer, stripe.fetch);
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
});
