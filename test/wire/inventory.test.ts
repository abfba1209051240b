/** Inventories and documents of users over the wire, from peers that are honest and from some that are not. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { before, describe, it } from 'node:test';
import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { segmentsOf, type ChunkSummary } from '../../src/chunk/chunk-store.js';
import { idBytes, type ChunkId, type StripeId } from '../../src/chunk/ids.js';
import { describeChunk } from '../../src/chunk/segments.js';
import type { ErrorCode } from '../../src/errors.js';
import {
  ChunkSummary as SummaryMessage,
  type GetOwnerRequest,
  type GetOwnerResponse,
  type ListChunksRequest,
} from '../../src/gen/shoal/v1/receiver.js';
import {
  INVENTORY_LIFETIME_MS,
  MAX_IDS_PER_CALL,
  MAX_INVENTORY_PAGE,
  MAX_LABEL_BYTES,
  MAX_OWNERS_PER_ANSWER,
  MAX_USER_DOCUMENT_BYTES,
  MAX_USER_NAME_CHARS,
  SEGMENT_BYTES,
} from '../../src/limits.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import type { HomeLookup } from '../../src/wire/ask-home.js';
import type { OwnerLookup } from '../../src/wire/get-owner.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import { code } from '../contract/chunk-store-bench.js';
import { lyingReceiver } from './liar.js';
import { reach, serve, TestNetwork, TestUser, type TestPeer } from './network.js';

const signal = new AbortController().signal;
const user = new TestUser();
const other = new TestUser();
const IDLE_MS = 200;
let client: TestPeer, target: TestPeer, bystander: TestPeer;

before(async () => {
  const network = await TestNetwork.open();
  [client, target, bystander] = [await network.peer(), await network.peer(), await network.peer()];
});

async function collect(summaries: AsyncIterable<ChunkSummary>): Promise<ChunkSummary[]> {
  const all: ChunkSummary[] = [];
  for await (const summary of summaries) all.push(summary);
  return all;
}

async function filled(count: number): Promise<MemoryStore> {
  const store = await MemoryStore.open();
  for (let n = 0; n < count; n++) {
    const content = randomBytes(20);
    const header = { ...describeChunk(content), label: randomBytes(100), owner: n % 10 === 0 ? other.id : user.id };
    await store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal });
  }
  return store;
}

describe('an inventory', () => {
  it('comes whole, in pages, and from behind any chunk', async () => {
    await using store = await filled(2500);
    await using server = await serve(target, { receiver: { store } });
    await using remote = RemoteStore.open(reach(client, target, server.port));
    const authorization = user.orderList(client.id, target.id);
    const listed = await collect(remote.list({ signal, owner: user.id, authorization }));
    const expected = await collect(store.list({ signal, owner: user.id }));
    assert.ok(expected.length > 2 * MAX_INVENTORY_PAGE);
    assert.deepEqual(
      listed.map(({ id, bytes, owner }) => ({ id, bytes, owner })),
      expected.map(({ id, bytes, owner }) => ({ id, bytes, owner })),
    );
    const after = expected[1500]?.id ?? assert.fail();
    const rest = await collect(remote.list({ signal, owner: user.id, authorization, after }));
    assert.deepEqual(
      rest.map(({ id }) => id),
      expected.slice(1501).map(({ id }) => id),
    );
  });

  it('is told only by an order of the owner, for both peers, of late', async () => {
    await using store = await filled(3);
    await using server = await serve(target, { receiver: { store } });
    await using remote = RemoteStore.open(reach(client, target, server.port));
    const wrong = {
      'to another peer': user.orderList(client.id, bystander.id),
      'given to another peer': user.orderList(bystander.id, target.id),
      'an old one': user.orderList(client.id, target.id, Date.now() - 2 * INVENTORY_LIFETIME_MS),
      'one from the future': user.orderList(client.id, target.id, Date.now() + INVENTORY_LIFETIME_MS),
      'one to delete': user.orderDelete(target.id, [describeChunk(randomBytes(9)).id]),
    };
    for (const [what, authorization] of Object.entries(wrong)) {
      const listing = collect(remote.list({ signal, owner: user.id, authorization }));
      await assert.rejects(listing, code('PERMISSION_DENIED'), what);
    }
    await assert.rejects(collect(remote.list({ signal, owner: user.id })), code('PERMISSION_DENIED'));
    await assert.rejects(collect(remote.list({ signal })), code('PERMISSION_DENIED'));
    // Another owner's order tells of that owner's chunks alone.
    const authorization = other.orderList(client.id, target.id);
    await assert.rejects(collect(remote.list({ signal, owner: user.id, authorization })), code('CORRUPT'));
    assert.equal((await collect(remote.list({ signal, owner: other.id, authorization }))).length, 1);
  });
});

describe('what a home holds back', () => {
  const stripes = [1, 2, 3].map((n) => n.toString(16).padStart(64, '0') as StripeId);

  it('is told by an order of the owner, and no more than was asked for is believed', async () => {
    await using store = await MemoryStore.open();
    const strange = '9'.padStart(64, '0') as StripeId;
    const home: HomeLookup = async ({ owner, stripes: asked, caller }) => {
      assert.deepEqual([owner, caller], [user.id, client.id]);
      return { held: new Set([...asked.slice(1), strange]), counter: 12, callerCounter: 7 };
    };
    await using server = await serve(target, { sender: { store, home } });
    await using remote = RemoteStore.open(reach(client, target, server.port));
    const order = user.orderList(client.id, target.id);
    const { held, ...counters } = await remote.askHome({ order, stripes }, { signal });
    assert.deepEqual([[...held], counters], [stripes.slice(1), { counter: 12, callerCounter: 7 }]);
    for (const wrong of [user.orderList(bystander.id, target.id), user.orderList(client.id, bystander.id)]) {
      await assert.rejects(remote.askHome({ order: wrong, stripes }, { signal }), code('PERMISSION_DENIED'));
    }
    const many = Array.from({ length: MAX_IDS_PER_CALL + 1 }, () => strange);
    await assert.rejects(remote.askHome({ order, stripes: many }, { signal }), code('LIMIT_EXCEEDED'));
  });

  it('nobody says who has none', async () => {
    await using store = await MemoryStore.open();
    await using server = await serve(target, { sender: { store } });
    await using remote = RemoteStore.open(reach(client, target, server.port));
    const order = user.orderList(client.id, target.id);
    await assert.rejects(remote.askHome({ order, stripes }, { signal }), code('UNSUPPORTED'));
  });
});

type ListCall = ServerWritableStream<ListChunksRequest, Buffer>;

describe('a peer that lies about its inventory', () => {
  const id = (n: number): ChunkId => n.toString(16).padStart(64, '0') as ChunkId;
  const summary = (n: number, change: Partial<SummaryMessage> = {}): Buffer =>
    Buffer.from(
      SummaryMessage.encode({
        chunk: idBytes(id(n)),
        bytes: 7,
        owner: idBytes(user.id),
        label: Buffer.alloc(9),
        ...change,
      }).finish(),
    );

  async function list(answer: (call: ListCall) => void, after?: ChunkId): Promise<ChunkSummary[]> {
    await using server = await lyingReceiver(target, { listChunks: answer });
    await using store = RemoteStore.open({ ...reach(client, target, server.port), idleTimeoutMs: IDLE_MS });
    const authorization = user.orderList(client.id, target.id);
    return await collect(store.list({ signal, owner: user.id, authorization, ...(after !== undefined && { after }) }));
  }

  function listOf(messages: Iterable<Buffer>, after?: ChunkId): Promise<ChunkSummary[]> {
    const send = async (call: ListCall): Promise<void> => {
      for (const message of messages) {
        if (call.cancelled) return;
        if (!call.write(message)) await Promise.race([once(call, 'drain'), once(call, 'cancelled')]);
      }
      call.end();
    };
    return list((call) => void send(call), after);
  }

  function* endless(): Generator<Buffer> {
    for (let n = 1; ; n++) yield summary(n);
  }

  it('and one that does not is believed', async () => {
    assert.deepEqual(
      (await listOf([summary(1), summary(2), summary(9)])).map((one) => one.id),
      [id(1), id(2), id(9)],
    );
  });

  const lies: Readonly<Record<string, [ErrorCode, () => Iterable<Buffer>, ChunkId?]>> = {
    'with chunks of another owner': ['CORRUPT', () => [summary(1), summary(2, { owner: idBytes(other.id) })]],
    'with a chunk twice': ['CORRUPT', () => [summary(1), summary(1)]],
    'in the wrong order': ['CORRUPT', () => [summary(2), summary(1)]],
    'with what it has told already': ['CORRUPT', () => [summary(3)], id(3)],
    'with a label that is too long': ['CORRUPT', () => [summary(1, { label: Buffer.alloc(MAX_LABEL_BYTES + 1) })]],
    'with an id of the wrong length': ['CORRUPT', () => [summary(1, { chunk: Buffer.alloc(31) })]],
    'for ever': ['CORRUPT', endless],
  };
  for (const [how, [expected, messages, after]] of Object.entries(lies)) {
    it(`${how} is ${expected}`, async () => {
      await assert.rejects(listOf(messages(), after), code(expected));
    });
  }

  it('and one that falls silent is TIMEOUT', async () => {
    const silent = (call: ListCall): void => {
      call.write(summary(1));
    };
    await assert.rejects(list(silent), code('TIMEOUT'));
  });
});

describe("a user's documents", () => {
  const documents = [Uint8Array.of(1, 2), Uint8Array.of(3)];

  async function ask(owners: OwnerLookup | undefined, asked: Parameters<OwnerLookup>[0]): Promise<Buffer[]> {
    await using store = await MemoryStore.open();
    await using server = await serve(target, { receiver: owners === undefined ? { store } : { store, owners } });
    await using remote = RemoteStore.open(reach(client, target, server.port));
    return (await remote.owners(asked, { signal })).map((one) => Buffer.from(one));
  }

  it('are told to any member, by name or id', async () => {
    const lookup: OwnerLookup = async (asked) => {
      if ('name' in asked) return asked.name === 'anna' ? documents : [];
      return asked.owner === user.id ? documents.slice(0, 1) : [];
    };
    assert.deepEqual(
      await ask(lookup, { name: 'anna' }),
      documents.map((document) => Buffer.from(document)),
    );
    assert.deepEqual(await ask(lookup, { name: 'berta' }), []);
    assert.deepEqual(await ask(lookup, { owner: user.id }), [Buffer.from([1, 2])]);
    assert.deepEqual(await ask(lookup, { owner: other.id }), []);
  });

  it('are few, asked for by short names, and not everywhere', async () => {
    const many = Array.from({ length: MAX_OWNERS_PER_ANSWER + 3 }, () => Uint8Array.of(1));
    assert.equal((await ask(() => Promise.resolve(many), { name: 'anna' })).length, MAX_OWNERS_PER_ANSWER);
    await assert.rejects(
      ask(() => Promise.resolve([]), { name: 'a'.repeat(MAX_USER_NAME_CHARS + 1) }),
      code('LIMIT_EXCEEDED'),
    );
    await assert.rejects(ask(undefined, { name: 'anna' }), code('UNSUPPORTED'));
  });

  it('are refused from a peer that sends too many, or too large ones', async () => {
    const lies = [
      Array.from({ length: MAX_OWNERS_PER_ANSWER + 1 }, () => Uint8Array.of(1)),
      [new Uint8Array(MAX_USER_DOCUMENT_BYTES + 1)],
    ];
    for (const lie of lies) {
      const getOwner = (
        _call: ServerUnaryCall<GetOwnerRequest, GetOwnerResponse>,
        respond: sendUnaryData<GetOwnerResponse>,
      ): void => {
        respond(null, { documents: lie });
      };
      await using server = await lyingReceiver(target, { getOwner });
      await using store = RemoteStore.open(reach(client, target, server.port));
      await assert.rejects(store.owners({ name: 'anna' }, { signal }), code('CORRUPT'));
    }
  });
});
