import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { segmentsOf, type ChunkHeader } from '../../src/chunk/chunk-store.js';
import { describeChunk, type Segment } from '../../src/chunk/segments.js';
import { StorageError } from '../../src/errors.js';
import { MAX_CHUNK_BYTES, SEGMENT_BYTES } from '../../src/limits.js';
import { DiskStore } from '../../src/store/disk-store.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import { code, collect, WatchedSource } from '../contract/chunk-store-bench.js';
import { CutProxy } from './cut-proxy.js';
import { reach, serve, TestNetwork, TestUser, type TestPeer } from './network.js';

const { signal } = new AbortController();
const user = new TestUser();
const SEGMENTS = MAX_CHUNK_BYTES / SEGMENT_BYTES;
let source: TestPeer, target: TestPeer;

before(async () => {
  const network = await TestNetwork.open();
  [source, target] = [await network.peer(), await network.peer()];
});

function offer(bytes = MAX_CHUNK_BYTES): { content: Buffer; header: ChunkHeader; grant: Uint8Array } {
  const content = randomBytes(bytes);
  const shape = describeChunk(content);
  const { label, grant } = user.authorize(shape, source.id);
  return { content, header: { ...shape, owner: user.id, label }, grant };
}

describe('a transfer that is cut off', () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'shoal-resume-'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  it('goes on with what is missing, over a new connection and after the target restarted', async () => {
    const { content, header, grant } = offer();
    const asked: (readonly number[])[] = [];
    for (const passMiB of [1, 2, Infinity]) {
      const kept = await DiskStore.open({ directory, reserveBytes: 0 });
      const server = await serve(target, { receiver: { store: kept } });
      await using proxy = await CutProxy.open(server.port, 'up');
      proxy.passBytes = passMiB * 1024 * 1024;
      await using store = RemoteStore.open(reach(source, target, proxy.port));
      const watched = new WatchedSource(content);
      const put = store.put(header, watched.source, { signal, grant });
      if (passMiB === Infinity) assert.equal((await put).existed, false);
      else await assert.rejects(put, code('UNAVAILABLE'));
      asked.push(watched.asked[0] ?? []);
      assert.equal((await kept.has([header.id], { signal })).size, passMiB === Infinity ? 1 : 0);
      await server.close();
      await kept[Symbol.asyncDispose]();
    }
    const counts = asked.map((wanted) => wanted.length);
    assert.equal(counts[0], SEGMENTS);
    assert.ok((counts[1] ?? 0) < SEGMENTS && (counts[2] ?? 0) < (counts[1] ?? 0), `asked for ${String(counts)}`);
    assert.deepEqual(asked[2], [...Array(SEGMENTS).keys()].slice(SEGMENTS - (counts[2] ?? 0)));
  });

  it('because its source failed had all arrived that was given away', async () => {
    const { content, header, grant } = offer();
    await using kept = await MemoryStore.open();
    await using server = await serve(target, { receiver: { store: kept } });
    await using store = RemoteStore.open(reach(source, target, server.port));
    const failing = new WatchedSource(content, (segment) => {
      if (segment.index === 7) throw new StorageError('UNAVAILABLE', 'The disk was pulled out.');
      return segment;
    });
    await assert.rejects(store.put(header, failing.source, { signal, grant }), /pulled out/);
    const rest = new WatchedSource(content);
    await store.put(header, rest.source, { signal, grant });
    assert.deepEqual(rest.asked, [[...Array(SEGMENTS).keys()].slice(7)]);
  });

  it('of a get fails as UNAVAILABLE, and the rest can be asked for', async () => {
    const { content, header } = offer();
    await using kept = await MemoryStore.open();
    await kept.put(header, segmentsOf(content, SEGMENT_BYTES), { signal });
    await using server = await serve(target, { sender: { store: kept } });
    await using proxy = await CutProxy.open(server.port, 'down');
    proxy.passBytes = 1024 * 1024;
    await using store = RemoteStore.open(reach(source, target, proxy.port));
    const got: Segment[] = [];
    await assert.rejects(async () => {
      for await (const segment of (await store.get(header.id, { signal })).segments) got.push(segment);
    }, code('UNAVAILABLE'));
    assert.ok(got.length < SEGMENTS);
    proxy.passBytes = Infinity;
    const rest = [...Array(SEGMENTS).keys()].slice(got.length);
    got.push(...(await collect((await store.get(header.id, { signal, segments: rest })).segments)));
    assert.ok(Buffer.concat(got.map(({ bytes }) => bytes)).equals(content));
  });
});

describe('a transfer that is not wanted any more', () => {
  it('ends at the target when the source aborts it', async () => {
    const { content, header, grant } = offer();
    await using kept = await MemoryStore.open();
    let ended: (reason: unknown) => void;
    const noticed = new Promise((resolve) => (ended = resolve));
    const observed = new Proxy(kept, {
      get: (inner, property) =>
        property === 'put'
          ? async (...args: Parameters<MemoryStore['put']>) => {
              args[2].signal.addEventListener('abort', () => {
                ended(args[2].signal.reason);
              });
              return await inner.put(...args);
            }
          : (Reflect.get(inner, property) as unknown),
    });
    await using server = await serve(target, { receiver: { store: observed } });
    await using store = RemoteStore.open(reach(source, target, server.port));
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const slow = new WatchedSource(content, (segment) => {
      if (segment.index === 20) controller.abort(reason);
      return segment;
    });
    await assert.rejects(store.put(header, slow.source, { signal: controller.signal, grant }), reason);
    assert.ok(code('CANCELLED')(await noticed));
  });

  it('stops the reading of the disk when the reader leaves or aborts', async () => {
    const { content, header } = offer();
    let closed = (): void => undefined;
    let left = new Promise<void>((resolve) => (closed = resolve));
    await using kept = await MemoryStore.open();
    const endless = new Proxy(kept, {
      get: (inner, property) =>
        property === 'get'
          ? () => {
              const segments = async function* (): AsyncGenerator<Segment> {
                try {
                  for (let index = 0; ; index++) {
                    // A turn of the event loop for each, as a disk would take.
                    await new Promise(setImmediate);
                    yield { index, bytes: content.subarray(0, SEGMENT_BYTES) };
                  }
                } finally {
                  closed();
                }
              };
              return Promise.resolve({ shape: header, label: header.label, segments: segments() });
            }
          : (Reflect.get(inner, property) as unknown),
    });
    await using server = await serve(target, { sender: { store: endless } });
    await using store = RemoteStore.open(reach(source, target, server.port));
    for await (const segment of (await store.get(header.id, { signal })).segments) {
      assert.equal(segment.index, 0);
      break;
    }
    await left;
    left = new Promise<void>((resolve) => (closed = resolve));
    const controller = new AbortController();
    await store.get(header.id, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await left;
  });

  it('ends when the server closes, and closing twice is closing once', async () => {
    const { content, header, grant } = offer();
    await using kept = await MemoryStore.open();
    const server = await serve(target, { receiver: { store: kept } });
    await using store = RemoteStore.open(reach(source, target, server.port));
    let closing: Promise<void> | undefined;
    const hanging = new WatchedSource(content, (segment) => {
      closing ??= server.close();
      return segment.index < 8 ? segment : new Promise<Segment>(() => undefined);
    });
    await assert.rejects(store.put(header, hanging.source, { signal, grant }), code('UNAVAILABLE'));
    await Promise.all([closing, server.close()]);
  });
});

describe('a shared channel', () => {
  it('outlives the stores over it', async () => {
    await using kept = await MemoryStore.open();
    await using server = await serve(target, { receiver: { store: kept } });
    await using owner = RemoteStore.open(reach(source, target, server.port));
    const { header } = offer(1000);
    const guest = RemoteStore.over(owner.channel);
    await guest.has([header.id], { signal });
    await guest.close();
    assert.equal((await owner.has([header.id], { signal })).size, 0);
  });
});
