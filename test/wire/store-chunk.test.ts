import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { status, type ServiceError } from '@grpc/grpc-js';
import { segmentsOf, type ChunkHeader } from '../../src/chunk/chunk-store.js';
import { idBytes } from '../../src/chunk/ids.js';
import { verifyReceipt } from '../../src/chunk/receipt.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { StorageError } from '../../src/errors.js';
import {
  CLOCK_SKEW_MS,
  GRANT_LIFETIME_MS,
  MAX_CALLS_PER_CHANNEL,
  MAX_MESSAGE_BYTES,
  SEGMENT_BYTES,
} from '../../src/limits.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import type { Pull } from '../../src/wire/file-receiver.js';
import { RECEIVER } from '../../src/wire/methods.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import type { PeerServer } from '../../src/wire/server.js';
import { ERROR_CODE_TRAILER } from '../../src/wire/status.js';
import { code, WatchedSource } from '../contract/chunk-store-bench.js';
import { rawOffer, request } from './liar.js';
import { reach, serve, TestNetwork, TestUser, type TestPeer } from './network.js';

const { signal } = new AbortController();
const user = new TestUser();
let source: TestPeer, target: TestPeer, other: TestPeer;
let server: PeerServer, kept: MemoryStore, store: RemoteStore;
let pulled: Parameters<Pull>[0] | undefined;

before(async () => {
  const network = await TestNetwork.open();
  [source, target, other] = [await network.peer(), await network.peer(), await network.peer()];
  kept = await MemoryStore.open();
  server = await serve(target, {
    receiver: {
      store: kept,
      pull: (asked) => {
        pulled = asked;
        return Promise.resolve({ peer: target.id, body: Buffer.from('body'), signature: Buffer.from('signature') });
      },
    },
    sender: { store: kept },
    idleTimeoutMs: 300,
  });
  store = RemoteStore.open(reach(source, target, server.port));
});
after(async () => {
  await store.close();
  await server.close();
  await kept.close();
});

interface Offered {
  readonly content: Buffer;
  readonly header: ChunkHeader;
  readonly grant: Uint8Array;
}

function offer(bytes: number, from = source): Offered {
  const content = randomBytes(bytes);
  const shape = describeChunk(content);
  const { label, grant } = user.authorize(shape, from.id);
  return { content, header: { ...shape, owner: user.id, label }, grant };
}

describe('what a peer lets others store', () => {
  it('is what the owner signed, and its receipt says so', async () => {
    const { content, header, grant } = offer(3 * SEGMENT_BYTES + 1);
    const { existed, receipt } = await store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant });
    assert.equal(existed, false);
    assert.ok(receipt);
    verifyReceipt(receipt, target.keys.publicKey, { chunk: header.id, owner: user.id, bytes: header.bytes });
    assert.equal((await kept.has([header.id], { signal })).size, 1);
  });

  const refused: Readonly<Record<string, (good: Offered) => Partial<ChunkHeader & { grant: Uint8Array }>>> = {
    'for another owner': () => ({ owner: new TestUser().id }),
    'with a label of another stripe': () => ({ label: offer(1000).header.label }),
    'with a label that was altered': ({ header }) => ({ label: flip(header.label) }),
    'with a grant of another stripe': () => ({ grant: offer(1000).grant }),
    'with a grant of another user': ({ header }) => ({ grant: new TestUser().authorize(header, source.id).grant }),
    'with a grant for another source peer': ({ header }) => ({ grant: user.authorize(header, other.id).grant }),
    'with a grant that was altered': ({ grant }) => ({ grant: flip(grant) }),
    'with a grant for too few bytes': ({ header }) => ({
      grant: user.authorize(header, source.id, { bytes: 1 }).grant,
    }),
    'with a grant that has expired': ({ header }) => ({
      grant: user.authorize(header, source.id, { expiresMs: Date.now() - CLOCK_SKEW_MS - 1000 }).grant,
    }),
    'with a grant that never expires': ({ header }) => ({
      grant: user.authorize(header, source.id, { expiresMs: Date.now() + 3 * GRANT_LIFETIME_MS }).grant,
    }),
  };
  for (const [how, change] of Object.entries(refused)) {
    it(`is not what comes ${how}`, async () => {
      const good = offer(2 * SEGMENT_BYTES);
      const { grant = good.grant, ...header } = change(good);
      const watched = new WatchedSource(good.content);
      const put = store.put({ ...good.header, ...header }, watched.source, { signal, grant });
      await assert.rejects(put, code('PERMISSION_DENIED'));
      assert.deepEqual(watched.asked, [], 'no byte was asked for');
    });
  }

  it('needs a grant at all', async () => {
    const { content, header } = offer(1000);
    await assert.rejects(store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal }), code('PERMISSION_DENIED'));
  });
});

/** Flips a bit near the end of the body, which is what is signed. */
function flip(signed: Uint8Array): Uint8Array {
  const altered = Uint8Array.from(signed);
  altered[40] = (altered[40] ?? 0) ^ 1;
  return altered;
}

describe('a source peer that breaks the order of StoreChunk', () => {
  const open = ({ header, grant }: Offered): Buffer => {
    const { bytes, segmentBytes, hashes, label } = header;
    const shape = { bytes, segmentBytes, hashes };
    return request({
      $case: 'open',
      value: { chunk: idBytes(header.id), shape, owner: idBytes(header.owner), label, grant },
    });
  };
  const segment = ({ content }: Offered, index: number): Buffer =>
    request({
      $case: 'segment',
      value: { index, bytes: content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES) },
    });
  const close = request({ $case: 'close', value: {} });

  /** @returns the StorageError code in the trailer and the status of gRPC */
  async function send(messages: readonly Buffer[], end = true): Promise<[unknown, number]> {
    const { call, close: hangUp } = rawOffer(source, target, server.port);
    try {
      return await new Promise((resolve, reject) => {
        call.on('data', () => undefined);
        call.once('error', (error: ServiceError) => {
          resolve([error.metadata.get(ERROR_CODE_TRAILER)[0], error.code]);
        });
        call.once('end', () => {
          reject(new Error('the peer was content'));
        });
        for (const message of messages) call.write(message);
        if (end) call.end();
      });
    } finally {
      hangUp();
    }
  }

  const wrong: Readonly<Record<string, (good: Offered) => readonly Buffer[]>> = {
    'by saying nothing and ending': () => [],
    'by a segment first': (good) => [segment(good, 0)],
    'by closing first': () => [close],
    'by opening twice': (good) => [open(good), open(good)],
    'by opening again amid the segments': (good) => [open(good), segment(good, 0), open(good)],
    'by closing early': (good) => [open(good), segment(good, 0), close],
    'by ending early': (good) => [open(good), segment(good, 0)],
    'by a segment out of order': (good) => [open(good), segment(good, 1)],
    'by a segment twice': (good) => [open(good), segment(good, 0), segment(good, 0)],
    'by one more segment': (good) => [open(good), segment(good, 0), segment(good, 1), segment(good, 0)],
    'by a segment that the chunk does not have': (good) => [open(good), segment(good, 31)],
    'by segments for ever': (good) => [open(good), ...Array.from({ length: 100 }, () => segment(good, 0))],
    'by bytes that are no message': (good) => [open(good), Buffer.from([0xff, 0xff, 0xff])],
    'by an id of the wrong length': ({ header }) => [
      request({
        $case: 'open',
        value: {
          chunk: Buffer.alloc(31),
          shape: undefined,
          owner: idBytes(header.owner),
          label: header.label,
          grant: Buffer.alloc(0),
        },
      }),
    ],
  };
  for (const [how, messages] of Object.entries(wrong)) {
    it(`${how} is INVALID_ARGUMENT`, async () => {
      const good = offer(2 * SEGMENT_BYTES);
      assert.deepEqual(await send(messages(good)), ['INVALID_ARGUMENT', status.INVALID_ARGUMENT]);
      assert.equal((await kept.has([good.header.id], { signal })).size, 0);
    });
  }

  it('by a message larger than any is cut off', async () => {
    const [, grpc] = await send([Buffer.alloc(MAX_MESSAGE_BYTES + 1)]);
    assert.equal(grpc, status.RESOURCE_EXHAUSTED);
  });

  it('by a label or a grant that is too long is LIMIT_EXCEEDED', async () => {
    const good = offer(1000);
    const [long] = await send([open({ ...good, header: { ...good.header, label: Buffer.alloc(20_000) } })]);
    assert.equal(long, 'LIMIT_EXCEEDED');
    const [longer] = await send([open({ ...good, grant: Buffer.alloc(20_000) })]);
    assert.equal(longer, 'LIMIT_EXCEEDED');
  });

  it('by falling silent is TIMEOUT, and what it sent is kept for the next attempt', async () => {
    const good = offer(4 * SEGMENT_BYTES);
    assert.deepEqual(await send([open(good), segment(good, 0), segment(good, 1)], false), [
      'TIMEOUT',
      status.DEADLINE_EXCEEDED,
    ]);
    const watched = new WatchedSource(good.content);
    await store.put(good.header, watched.source, { signal, grant: good.grant });
    assert.deepEqual(watched.asked, [[2, 3]]);
  });

  it('does not disturb the others', async () => {
    const { content, header, grant } = offer(SEGMENT_BYTES);
    await store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant });
  });
});

describe('a small call', () => {
  it('DeleteChunks deletes what the owner ordered of this peer, and nothing else', async () => {
    const [mine, sibling] = [offer(1000), offer(1000)];
    for (const { content, header, grant } of [mine, sibling]) {
      await store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant });
    }
    const ids = [mine.header.id];
    const orders = {
      'of another user': new TestUser().orderDelete(target.id, ids),
      'to another peer': user.orderDelete(other.id, ids),
      'that was altered': flip(user.orderDelete(target.id, ids)),
    };
    for (const [how, authorization] of Object.entries(orders)) {
      // An order of another user is carried out: it withdraws that user's claim, and there is none.
      const deleting = store.delete(user.id, ids, { signal, authorization });
      if (how === 'of another user') await deleting;
      else await assert.rejects(deleting, code('PERMISSION_DENIED'), how);
      assert.equal((await store.has(ids, { signal })).size, 1, how);
    }
    await assert.rejects(store.delete(user.id, ids, { signal }), code('PERMISSION_DENIED'));
    await store.delete(user.id, ids, { signal, authorization: user.orderDelete(target.id, ids) });
    const left = await store.has([mine.header.id, sibling.header.id], { signal });
    assert.deepEqual([...left], [sibling.header.id]);
  });

  it('AuditChunk proves possession, segment by segment', async () => {
    const { content, header, grant } = offer(2 * SEGMENT_BYTES - 3);
    await store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant });
    await store.audit(header.id, 0, { signal });
    await store.audit(header.id, 1, { signal });
    await assert.rejects(store.audit(header.id, 2, { signal }), code('INVALID_ARGUMENT'));
    await assert.rejects(store.audit(describeChunk(Buffer.from('none')).id, 0, { signal }), code('NOT_FOUND'));
  });

  it('PullChunk hands on what was asked, and who asked', async () => {
    const { header, grant } = offer(1000);
    const order = { chunk: header.id, source: other.id, label: header.label };
    const receipt = await store.pull(order, { signal });
    assert.deepEqual([receipt.peer, Buffer.from(receipt.body).toString()], [target.id, 'body']);
    assert.ok(pulled);
    assert.deepEqual([pulled.chunk, pulled.source, pulled.caller], [header.id, other.id, source.id]);
    assert.equal(pulled.granted, false);
    await store.pull({ ...order, grant }, { signal });
    assert.equal(pulled.granted, true);
  });

  it('PullChunk is refused for a chunk that its label does not name, an altered label, and a grant to another peer', async () => {
    const [one, two] = [offer(1000), offer(1000)];
    const { header } = one;
    const order = { chunk: header.id, source: other.id, label: header.label };
    pulled = undefined;
    await assert.rejects(store.pull({ ...order, label: two.header.label }, { signal }), code('PERMISSION_DENIED'));
    await assert.rejects(store.pull({ ...order, grant: two.grant }, { signal }), code('PERMISSION_DENIED'));
    const label = Uint8Array.from(header.label);
    label[label.length - 1] = (label.at(-1) ?? 0) ^ 1;
    await assert.rejects(store.pull({ ...order, label }, { signal }));
    assert.equal(pulled, undefined);
  });

  it('bytes that are no message are the fault of the caller', async () => {
    const malformed = { ...RECEIVER.hasChunks, requestSerialize: () => Buffer.from([0xff, 0xff, 0xff]) };
    await assert.rejects(store.channel.unary(malformed, { chunks: [] }, { signal }), code('INVALID_ARGUMENT'));
  });

  it('PullChunk is UNSUPPORTED where nothing pulls', async () => {
    await using without = await serve(target, { receiver: { store: kept } });
    await using there = RemoteStore.open(reach(source, target, without.port));
    const { header } = offer(1000);
    const pull = there.pull({ chunk: header.id, source: other.id, label: header.label }, { signal });
    await assert.rejects(pull, code('UNSUPPORTED'));
  });

  it('is cancelled with the reason of its signal, and ends at its deadline', async () => {
    const reasons: unknown[] = [];
    let told = (): void => undefined;
    const cancelled = new Promise<void>((resolve) => (told = resolve));
    const hanging = new Proxy(kept, {
      get: (inner, property) =>
        property === 'has'
          ? (_ids: unknown, options: { readonly signal: AbortSignal }) =>
              new Promise((_resolve, reject) => {
                options.signal.addEventListener('abort', () => {
                  reasons.push(options.signal.reason);
                  told();
                  reject(options.signal.reason as Error);
                });
              })
          : (Reflect.get(inner, property) as unknown),
    });
    await using slow = await serve(target, { receiver: { store: hanging } });
    await using there = RemoteStore.open({ ...reach(source, target, slow.port), callTimeoutMs: 250 });
    const ids = [describeChunk(Buffer.from('x')).id];
    await assert.rejects(there.has(ids, { signal }), code('TIMEOUT'));
    await cancelled;
    assert.ok(StorageError.is(reasons[0], 'CANCELLED'), 'the deadline reached the store');
    const controller = new AbortController();
    const reason = new Error('changed my mind');
    const asking = there.has(ids, { signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(asking, reason);
  });
});

describe('more calls at once than a channel may have in progress', () => {
  it('wait until one has ended, and can be called off', async () => {
    const patient = await serve(target, { receiver: { store: kept }, sender: { store: kept } });
    await using there = RemoteStore.open(reach(source, target, patient.port));
    const { content, header, grant } = offer(3 * SEGMENT_BYTES);
    await there.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant });
    const get = (until = signal): ReturnType<RemoteStore['get']> => there.get(header.id, { signal: until });
    const open = await Promise.all(Array.from({ length: MAX_CALLS_PER_CHANNEL }, () => get()));
    const leaving = new AbortController();
    const waiting = [get(leaving.signal), there.has([header.id], { signal: leaving.signal })];
    leaving.abort(new Error('changed my mind'));
    for (const each of waiting) await assert.rejects(each, /changed my mind/);
    let began = 0;
    const later = Array.from({ length: MAX_CALLS_PER_CHANNEL }, () => get().finally(() => began++));
    assert.equal(began, 0);
    // One is read to its end, the others are left.
    for await (const segment of open.pop()?.segments ?? []) assert.ok(segment.bytes.length > 0);
    for (const { segments } of open) await segments[Symbol.asyncIterator]().return?.();
    const rest = await Promise.all(later);
    for (const { segments } of rest) await segments[Symbol.asyncIterator]().return?.();
    assert.equal((await there.has([header.id], { signal })).size, 1);
    await patient.close();
  });
});

describe('a failure inside a peer', () => {
  it('is INTERNAL, and its text stays there', async () => {
    const broken = new Proxy(kept, {
      get: (inner, property) =>
        property === 'has'
          ? () => Promise.reject(new Error('/home/somebody/secret'))
          : (Reflect.get(inner, property) as unknown),
    });
    await using sick = await serve(target, { receiver: { store: broken } });
    await using there = RemoteStore.open(reach(source, target, sick.port));
    await assert.rejects(there.has([describeChunk(Buffer.from('x')).id], { signal }), (error: StorageError) => {
      assert.equal(error.code, 'INTERNAL');
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  });
});
