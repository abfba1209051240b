import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { segmentsOf, type ChunkHeader, type SegmentSource } from '../../src/chunk/chunk-store.js';
import { parseChunkId } from '../../src/chunk/ids.js';
import { describeChunk, type Segment } from '../../src/chunk/segments.js';
import { StorageError } from '../../src/errors.js';
import { MAX_IDS_PER_CALL, MAX_RESEND_ROUNDS, SEGMENT_BYTES } from '../../src/limits.js';
import { Bench, code, collect, flipped, WatchedSource, type ContractSubject } from './chunk-store-bench.js';

export type { ContractSubject } from './chunk-store-bench.js';

/** No put or get of these few segments takes anywhere near this long: what does hangs. */
const HANG_MS = 10_000;

/** Holds a ChunkStore to every sentence of the contract in src/chunk/chunk-store.ts. */
export function chunkStoreContract(name: string, open: () => Promise<ContractSubject>): void {
  describe(`${name} keeps the ChunkStore contract`, { timeout: 6 * HANG_MS }, () => {
    const bench = new Bench(open);
    beforeEach(() => bench.setUp());
    afterEach(() => bench.tearDown());
    putAndGet(bench);
    healing(bench);
    badSources(bench);
    aborting(bench);
    owning(bench);
    listing(bench);
  });
}

/** A row in SQLite, exactly one segment, one byte more, several with a short end, the largest. */
const SIZES = [1, 1000, SEGMENT_BYTES, SEGMENT_BYTES + 1, 3 * SEGMENT_BYTES - 5, 4 * 1024 * 1024];

function putAndGet(bench: Bench): void {
  for (const bytes of SIZES) {
    it(`gives back a chunk of ${String(bytes)} bytes, with its shape and label`, async () => {
      const { header, content } = await bench.stored(bytes);
      await bench.reopen();
      const found = await bench.store.get(header.id, { signal: bench.signal });
      assert.deepEqual(
        { bytes: found.shape.bytes, segmentBytes: found.shape.segmentBytes, hashes: Buffer.from(found.shape.hashes) },
        { bytes, segmentBytes: SEGMENT_BYTES, hashes: Buffer.from(header.hashes) },
      );
      assert.deepEqual(Buffer.from(found.label), Buffer.from(header.label));
      const segments = await collect(found.segments);
      assert.deepEqual(
        segments.map((segment) => segment.index),
        [...segments.keys()],
      );
      assert.ok(Buffer.concat(segments.map((segment) => segment.bytes)).equals(content));
    });
  }

  it('put is idempotent: the second asks for no byte', async () => {
    const { header, content, options } = await bench.stored(300_000);
    await bench.reopen();
    const again = new WatchedSource(content);
    const result = await bench.store.put(header, again.source, options);
    assert.equal(result.existed, true);
    assert.deepEqual(again.asked, []);
  });

  it('get yields the asked segments only, ascending', async () => {
    const { header, content } = await bench.stored(20 * SEGMENT_BYTES + 9);
    for (const asked of [[0], [20], [3, 4, 5, 12], [0, 2, 19, 20]]) {
      const segments = await bench.read(header.id, asked);
      assert.deepEqual(
        segments.map((segment) => segment.index),
        asked,
      );
      for (const { index, bytes } of segments) {
        assert.ok(Buffer.from(bytes).equals(content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES)));
      }
    }
  });

  it('get refuses segments that the chunk does not have, unordered ones and duplicates', async () => {
    const { header } = await bench.stored(2 * SEGMENT_BYTES);
    for (const asked of [[2], [1, 0], [1, 1], [-1], [0.5]]) {
      await assert.rejects(bench.read(header.id, asked), code('INVALID_ARGUMENT'));
    }
  });

  it('get can be left early, and the chunk be read again', async () => {
    const { header, content } = await bench.stored(4 * 1024 * 1024);
    for (let round = 0; round < 3; round++) {
      for await (const segment of (await bench.store.get(header.id, { signal: bench.signal })).segments) {
        assert.equal(segment.index, 0);
        break;
      }
    }
    assert.ok(Buffer.from(await bench.content(header.id)).equals(content));
  });

  it('an unknown id is NOT_FOUND before the first segment', async () => {
    await assert.rejects(bench.store.get(parseChunkId(randomBytes(32)), { signal: bench.signal }), code('NOT_FOUND'));
  });

  it('has tells those that are stored whole, and takes a bounded number of ids', async () => {
    const one = await bench.stored(10);
    const two = await bench.stored(200_000);
    const unknown = parseChunkId(randomBytes(32));
    const found = await bench.store.has([unknown, two.header.id, one.header.id], { signal: bench.signal });
    assert.deepEqual([...found].sort(), [one.header.id, two.header.id].sort());
    assert.equal((await bench.store.has([], { signal: bench.signal })).size, 0);
    const tooMany = Array.from({ length: MAX_IDS_PER_CALL + 1 }, () => unknown);
    await assert.rejects(bench.store.has(tooMany, { signal: bench.signal }), code('LIMIT_EXCEEDED'));
  });

  it('many puts at once all land', async () => {
    const offers = await Promise.all(
      Array.from({ length: 24 }, (_, index) => bench.stored(index % 3 === 0 ? 200_000 + index : 500 + index)),
    );
    for (const { header, content } of offers) {
      assert.ok(Buffer.from(await bench.content(header.id)).equals(content));
    }
  });

  it('puts of the same chunk at once succeed, and the bytes are moved once', async () => {
    const offer = await bench.offer(randomBytes(3 * SEGMENT_BYTES));
    const sources = Array.from({ length: 5 }, () => new WatchedSource(offer.content));
    await Promise.all(sources.map(({ source }) => bench.store.put(offer.header, source, offer.options)));
    assert.deepEqual(
      sources.flatMap(({ asked }) => asked),
      [[0, 1, 2]],
    );
    assert.ok(Buffer.from(await bench.content(offer.header.id)).equals(offer.content));
  });
}

function healing(bench: Bench): void {
  for (const bytes of [50_000, 6 * SEGMENT_BYTES]) {
    it(`asks again for the segments of ${String(bytes)} bytes that arrive corrupt, alone`, async () => {
      const offer = await bench.offer(randomBytes(bytes));
      const last = Math.ceil(bytes / SEGMENT_BYTES) - 1;
      const watched = new WatchedSource(offer.content, (segment, round) =>
        segment.index === last && round < 2 ? flipped(segment) : segment,
      );
      const { resent } = await bench.store.put(offer.header, watched.source, offer.options);
      assert.equal(resent, 2);
      assert.deepEqual(watched.asked.slice(1), [[last], [last]]);
      assert.ok(Buffer.from(await bench.content(offer.header.id)).equals(offer.content));
    });
  }

  it('a segment that arrives too short or too long is corrupt too', async () => {
    const offer = await bench.offer(randomBytes(3 * SEGMENT_BYTES));
    const watched = new WatchedSource(offer.content, ({ index, bytes }, round) => {
      if (round > 0 || index === 1) return { index, bytes };
      return { index, bytes: index === 0 ? bytes.subarray(1) : Buffer.concat([bytes, Buffer.of(0)]) };
    });
    await bench.store.put(offer.header, watched.source, offer.options);
    assert.deepEqual(watched.asked, [
      [0, 1, 2],
      [0, 2],
    ]);
    assert.ok(Buffer.from(await bench.content(offer.header.id)).equals(offer.content));
  });

  it('a put that broke is invisible, and the next asks only for what is missing', async () => {
    const offer = await bench.offer(randomBytes(10 * SEGMENT_BYTES));
    const broken = new WatchedSource(offer.content, (segment) => {
      if (segment.index === 6) throw new StorageError('UNAVAILABLE', 'The line broke.');
      return segment;
    });
    await assert.rejects(bench.store.put(offer.header, broken.source, offer.options), code('UNAVAILABLE'));
    await bench.assertInvisible(offer);
    await bench.reopen();
    await bench.assertInvisible(offer);
    const next = new WatchedSource(offer.content);
    await bench.store.put(offer.header, next.source, offer.options);
    const [asked] = next.asked;
    assert.deepEqual(asked?.slice(-4), [6, 7, 8, 9], 'what never came is asked for');
    assert.ok(asked.length < 10, `intact segments are kept: asked for ${String(asked)}`);
    assert.ok(Buffer.from(await bench.content(offer.header.id)).equals(offer.content));
  });
}

function badSources(bench: Bench): void {
  it('a source that lies for ever fails as CORRUPT after a few rounds', async () => {
    const offer = await bench.offer(randomBytes(3 * SEGMENT_BYTES));
    const liar = new WatchedSource(offer.content, (segment) => (segment.index === 1 ? flipped(segment) : segment));
    await assert.rejects(bench.store.put(offer.header, liar.source, offer.options), code('CORRUPT'));
    assert.equal(liar.asked.length, MAX_RESEND_ROUNDS + 1);
    await bench.assertInvisible(offer);
    await bench.store.put(offer.header, new WatchedSource(offer.content).source, offer.options);
    assert.ok(Buffer.from(await bench.content(offer.header.id)).equals(offer.content));
  });

  const misbehaviour: Readonly<Record<string, (content: Uint8Array) => SegmentSource>> = {
    'the wrong order': (content) => (missing) => segmentsOf(content, SEGMENT_BYTES)([...missing].reverse()),
    'a segment twice': (content) => (missing) => segmentsOf(content, SEGMENT_BYTES)([0, ...missing]),
    'one more than asked': (content) => (missing) => segmentsOf(content, SEGMENT_BYTES)([...missing, 0]),
    'one less than asked': (content) => (missing) => segmentsOf(content, SEGMENT_BYTES)(missing.slice(0, -1)),
    'nothing at all': (content) => () => segmentsOf(content, SEGMENT_BYTES)([]),
    'a segment for ever': (content) => () => endless(content.subarray(0, SEGMENT_BYTES)),
  };
  for (const [what, misbehave] of Object.entries(misbehaviour)) {
    it(`a source that yields ${what} fails as CORRUPT`, { timeout: HANG_MS }, async () => {
      const offer = await bench.offer(randomBytes(3 * SEGMENT_BYTES));
      await assert.rejects(bench.store.put(offer.header, misbehave(offer.content), offer.options), code('CORRUPT'));
      await bench.assertInvisible(offer);
    });
  }

  it('a hash list that the id does not commit to is refused before any byte', async () => {
    const offer = await bench.offer(randomBytes(2 * SEGMENT_BYTES));
    const other = describeChunk(randomBytes(2 * SEGMENT_BYTES));
    const wrong: readonly Partial<ChunkHeader>[] = [
      { hashes: other.hashes },
      { hashes: offer.header.hashes.subarray(0, 32) },
      { bytes: offer.header.bytes - 1 },
      { id: other.id },
    ];
    for (const change of wrong) {
      const watched = new WatchedSource(offer.content);
      await assert.rejects(
        bench.store.put({ ...offer.header, ...change }, watched.source, offer.options),
        code('CORRUPT'),
      );
      assert.deepEqual(watched.asked, []);
    }
    await bench.assertInvisible(offer);
  });

  it('segments of another size are UNSUPPORTED', async () => {
    const content = randomBytes(5000);
    const { header, options } = await bench.offer(content);
    const foreign = { ...header, ...describeChunk(content, 1024) };
    await assert.rejects(bench.store.put(foreign, segmentsOf(content, 1024), options), code('UNSUPPORTED'));
  });
}

async function* endless(bytes: Uint8Array): AsyncGenerator<Segment> {
  for (;;) yield await Promise.resolve({ index: 0, bytes });
}

function aborting(bench: Bench): void {
  it('an aborted put rejects with the reason and is invisible', { timeout: HANG_MS }, async () => {
    for (const bytes of [60_000, 4 * SEGMENT_BYTES]) {
      const offer = await bench.offer(randomBytes(bytes));
      const controller = new AbortController();
      const reason = new Error('changed my mind');
      const hanging = new WatchedSource(offer.content, (segment) => {
        if (segment.index !== 2 && bytes > SEGMENT_BYTES) return segment;
        controller.abort(reason);
        return new Promise<Segment>(() => undefined);
      });
      const put = bench.store.put(offer.header, hanging.source, { ...offer.options, signal: controller.signal });
      await assert.rejects(put, reason);
      await bench.assertInvisible(offer);
      await bench.store.put(offer.header, new WatchedSource(offer.content).source, offer.options);
      assert.ok(Buffer.from(await bench.content(offer.header.id)).equals(offer.content));
    }
  });

  it('what is aborted beforehand does nothing and rejects with the reason', async () => {
    const offer = await bench.stored(2 * SEGMENT_BYTES);
    const other = await bench.offer(randomBytes(1000));
    const reason = new Error('too late');
    const signal = AbortSignal.abort(reason);
    const watched = new WatchedSource(other.content);
    await assert.rejects(bench.store.put(other.header, watched.source, { ...other.options, signal }), reason);
    assert.deepEqual(watched.asked, []);
    await assert.rejects(bench.store.get(offer.header.id, { signal }), reason);
    await assert.rejects(bench.store.has([offer.header.id], { signal }), reason);
    await assert.rejects(bench.store.delete(bench.owner, [offer.header.id], { signal }), reason);
    await assert.rejects(async () => {
      for await (const summary of bench.store.list({ signal, owner: bench.owner })) assert.fail(summary.id);
    }, reason);
    assert.equal(await bench.has(offer.header.id), true);
  });

  it('an aborted get ends with the reason', { timeout: HANG_MS }, async () => {
    const { header } = await bench.stored(4 * 1024 * 1024);
    const controller = new AbortController();
    const reason = new Error('enough');
    const { segments } = await bench.store.get(header.id, { signal: controller.signal });
    await assert.rejects(async () => {
      for await (const segment of segments) if (segment.index === 0) controller.abort(reason);
    }, reason);
  });

  it('a put that waits for another of the same chunk takes over when that fails', { timeout: HANG_MS }, async () => {
    const offer = await bench.offer(randomBytes(4 * SEGMENT_BYTES));
    const controller = new AbortController();
    let started = (): void => undefined;
    const running = new Promise<void>((resolve) => (started = resolve));
    const hanging = new WatchedSource(offer.content, () => {
      started();
      return new Promise<Segment>(() => undefined);
    });
    const first = bench.store.put(offer.header, hanging.source, { ...offer.options, signal: controller.signal });
    await running;
    const second = bench.store.put(offer.header, new WatchedSource(offer.content).source, offer.options);
    controller.abort(new Error('gave up'));
    await assert.rejects(first, /gave up/);
    await second;
    assert.ok(Buffer.from(await bench.content(offer.header.id)).equals(offer.content));
  });
}

function owning(bench: Bench): void {
  for (const bytes of [1000, 2 * SEGMENT_BYTES]) {
    it(`a chunk of ${String(bytes)} bytes goes with its last owner`, async () => {
      const [one, two] = bench.subject.owners;
      const first = await bench.stored(bytes, one);
      const second = await bench.offer(first.content, two);
      const watched = new WatchedSource(first.content);
      await bench.store.put(second.header, watched.source, second.options);
      assert.deepEqual(watched.asked, [], 'the bytes are there already');
      await bench.remove(one, [first.header.id]);
      await bench.reopen();
      assert.ok(Buffer.from(await bench.content(first.header.id)).equals(first.content));
      assert.deepEqual(await bench.list(one), []);
      await bench.remove(two, [first.header.id]);
      await bench.assertInvisible(first);
      await bench.reopen();
      await bench.assertInvisible(first);
    });
  }

  it('who has no claim deletes nothing', async () => {
    const [one, two] = bench.subject.owners;
    const { header } = await bench.stored(70_000, one);
    await bench.remove(two, [header.id]);
    assert.equal(await bench.has(header.id), true);
  });

  it('delete is idempotent, and what was deleted can be stored again', async () => {
    const offers = [await bench.stored(3000), await bench.stored(3 * SEGMENT_BYTES)];
    const ids = offers.map(({ header }) => header.id);
    await bench.remove(bench.owner, [...ids, parseChunkId(randomBytes(32))]);
    await bench.remove(bench.owner, ids);
    for (const offer of offers) {
      await bench.assertInvisible(offer);
      const watched = new WatchedSource(offer.content);
      await bench.store.put(offer.header, watched.source, offer.options);
      assert.equal(watched.asked.length, 1);
      await bench.reopen();
      assert.ok(Buffer.from(await bench.content(offer.header.id)).equals(offer.content));
    }
  });
}

function listing(bench: Bench): void {
  it("lists an owner's chunks in ascending order of id", async () => {
    const [one, two] = bench.subject.owners;
    const mine = await Promise.all(Array.from({ length: 12 }, (_, index) => bench.stored(100 + index, one)));
    await bench.stored(500, two);
    await bench.reopen();
    const listed = await bench.list(one);
    const expected = mine.map(({ header }) => header).sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(
      listed.map(({ id, bytes, owner, label }) => ({ id, bytes, owner, label: Buffer.from(label) })),
      expected.map(({ id, bytes, owner, label }) => ({ id, bytes, owner, label: Buffer.from(label) })),
    );
  });

  it('goes on behind a chunk', async () => {
    const one = bench.owner;
    for (let n = 0; n < 5; n++) await bench.stored(100 + n, one);
    const all = (await bench.list(one)).map(({ id }) => id);
    for (const [n, after] of all.entries()) {
      assert.deepEqual(
        (await bench.list(one, after)).map(({ id }) => id),
        all.slice(n + 1),
      );
    }
  });

  it('lists nothing for a user without chunks', async () => {
    assert.deepEqual(await bench.list(bench.subject.owners[1]), []);
  });
}
