import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { before, describe, it } from 'node:test';
import { segmentsOf, type Stored } from '../../src/chunk/chunk-store.js';
import { idBytes } from '../../src/chunk/ids.js';
import { makeReceipt } from '../../src/chunk/receipt.js';
import { describeChunk, type ChunkShape } from '../../src/chunk/segments.js';
import { signP256 } from '../../src/crypto/signature.js';
import type { ErrorCode } from '../../src/errors.js';
import type { StoreChunkRequest } from '../../src/gen/shoal/v1/receiver.js';
import { MAX_LABEL_BYTES, MAX_MESSAGE_BYTES, SEGMENT_BYTES } from '../../src/limits.js';
import { encodeFound, encodeHave, encodeResend, encodeSegment, encodeStored } from '../../src/wire/codec.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import { code, collect, WatchedSource } from '../contract/chunk-store-bench.js';
import { lyingReceiver, lyingSender, type Liar, type SendChunkCall, type StoreChunkCall } from './liar.js';
import { reach, TestNetwork, TestUser, type TestPeer } from './network.js';

const signal = new AbortController().signal;
const user = new TestUser();
const content = randomBytes(4 * SEGMENT_BYTES - 7);
const shape = describeChunk(content);
const IDLE_MS = 200;
let client: TestPeer, liar: TestPeer, bystander: TestPeer;

before(async () => {
  const network = await TestNetwork.open();
  [client, liar, bystander] = [await network.peer(), await network.peer(), await network.peer()];
});

function storeAt(peer: Liar): RemoteStore {
  return RemoteStore.open({ ...reach(client, liar, peer.port), idleTimeoutMs: IDLE_MS });
}

describe('a sender that lies', () => {
  const segment = (
    index: number,
    bytes = content.subarray(index * SEGMENT_BYTES, (index + 1) * SEGMENT_BYTES),
  ): Buffer => encodeSegment({ index, bytes });
  const found = (change: Partial<ChunkShape> = {}, label = Buffer.alloc(10)): Buffer => {
    const { bytes, segmentBytes, hashes } = { ...shape, ...change };
    return encodeFound({ shape: { bytes, segmentBytes, hashes }, label });
  };

  async function read(messages: Iterable<Buffer>, segments?: readonly number[]): Promise<void> {
    await using server = await lyingSender(liar, {
      sendChunk: (call: SendChunkCall) => {
        for (const message of messages) if (call.cancelled || !call.write(message)) break;
        call.end();
      },
    });
    await using store = storeAt(server);
    const stored = await store.get(shape.id, segments === undefined ? { signal } : { signal, segments });
    await collect(stored.segments);
  }

  function* endless(): Generator<Buffer> {
    yield found();
    for (;;) yield segment(0);
  }

  it('and one that does not is believed', async () => {
    await read([found(), segment(0), segment(1), segment(2), segment(3)]);
    await read([found(), segment(1), segment(3)], [1, 3]);
  });

  const other = describeChunk(randomBytes(content.length));
  const lies: Readonly<Record<string, [ErrorCode, () => Iterable<Buffer>, (readonly number[])?]>> = {
    'with a hash list of another chunk': ['CORRUPT', () => [found({ hashes: other.hashes })]],
    'with a hash list that is too long': ['CORRUPT', () => [found({ hashes: Buffer.alloc(100_000) })]],
    'with a length that is not a number': ['CORRUPT', () => [found({ bytes: Number.MAX_SAFE_INTEGER })]],
    'with segments of another size': ['UNSUPPORTED', () => [found({ segmentBytes: 1 })]],
    'with a label that is too long': ['CORRUPT', () => [found({}, Buffer.alloc(MAX_LABEL_BYTES + 1))]],
    'with nothing': ['CORRUPT', () => []],
    'with no header': ['CORRUPT', () => [segment(0)]],
    'with bytes that are no message': ['CORRUPT', () => [Buffer.from([0xff, 0xff, 0xff])]],
    'with two headers': ['CORRUPT', () => [found(), found()]],
    'with a segment that is too short': ['CORRUPT', () => [found(), segment(0, content.subarray(1, 9))]],
    'with a segment that is too long': ['CORRUPT', () => [found(), segment(0, Buffer.alloc(SEGMENT_BYTES + 1))]],
    'in the wrong order': ['CORRUPT', () => [found(), segment(1), segment(0)]],
    'with a segment that was not asked for': ['CORRUPT', () => [found(), segment(0)], [1]],
    'with too few segments': ['CORRUPT', () => [found(), segment(0), segment(1)]],
    'with too many segments': ['CORRUPT', () => [found(), segment(2), segment(3)], [2]],
    'with segments for ever': ['CORRUPT', endless],
    'with a message larger than any': ['LIMIT_EXCEEDED', () => [found(), Buffer.alloc(MAX_MESSAGE_BYTES + 1)]],
  };
  for (const [how, [expected, messages, segments]] of Object.entries(lies)) {
    it(`${how} is ${expected}`, async () => {
      await assert.rejects(read(messages(), segments), code(expected));
    });
  }

  it('and one that says nothing is TIMEOUT', async () => {
    await using server = await lyingSender(liar, { sendChunk: (call: SendChunkCall) => void call.write(found()) });
    await using store = storeAt(server);
    const stored = await store.get(shape.id, { signal });
    await assert.rejects(collect(stored.segments), code('TIMEOUT'));
  });
});

type Message = NonNullable<StoreChunkRequest['message']>;

describe('a receiver that lies', () => {
  /** Answers every message of the source with what `script` says to it. */
  async function put(
    script: (message: Message, round: number) => readonly Buffer[] | 'end',
    segments = segmentsOf(content, SEGMENT_BYTES),
  ): Promise<Stored> {
    await using server = await lyingReceiver(liar, {
      storeChunk: (call: StoreChunkCall) => {
        let round = 0;
        call.on('data', ({ message }: StoreChunkRequest) => {
          if (message === undefined) return;
          if (message.$case === 'close') round++;
          const answer = script(message, round);
          if (answer === 'end') call.end();
          else for (const one of answer) call.write(one);
        });
        call.on('end', () => {
          call.end();
        });
      },
    });
    await using store = storeAt(server);
    const header = { ...shape, owner: user.id, label: Buffer.alloc(10) };
    return await store.put(header, segments, { signal, grant: Buffer.alloc(10) });
  }

  const stored = (change: Partial<Parameters<typeof makeReceipt>[0]> = {}, signer = liar): Buffer => {
    const promised = { peer: liar.id, chunk: shape.id, owner: user.id, bytes: shape.bytes, storedMs: Date.now() };
    const receipt = makeReceipt({ ...promised, ...change }, (body) =>
      signP256('receipt', body, signer.keys.privateKey),
    );
    return encodeStored({ receipt: receipt.body, signature: receipt.signature, resent: 0 });
  };
  const honest =
    (last: () => readonly Buffer[]) =>
    ({ $case }: Message): readonly Buffer[] => {
      if ($case === 'open') return [encodeHave(0, false)];
      return $case === 'close' ? last() : [];
    };

  it('and one that does not is believed', async () => {
    const { existed, receipt } = await put(honest(() => [stored()]));
    assert.equal(existed, false);
    assert.equal(receipt?.peer, liar.id);
    const skipped = await put(({ $case }) => ($case === 'open' ? [encodeHave(0xffffffff, true), stored()] : []));
    assert.equal(skipped.existed, true);
  });

  const lies: Readonly<Record<string, [ErrorCode, Parameters<typeof put>[0]]>> = {
    'about another chunk': [
      'PERMISSION_DENIED',
      honest(() => [stored({ chunk: describeChunk(Buffer.from('another')).id })]),
    ],
    'about another owner': ['PERMISSION_DENIED', honest(() => [stored({ owner: new TestUser().id })])],
    'about another length': ['PERMISSION_DENIED', honest(() => [stored({ bytes: 1 })])],
    'in the name of another peer': ['PERMISSION_DENIED', honest(() => [stored({ peer: bystander.id }, bystander)])],
    'with a signature of another peer': ['PERMISSION_DENIED', honest(() => [stored({}, bystander)])],
    'with a receipt that is no receipt': [
      'CORRUPT',
      honest(() => [encodeStored({ receipt: Buffer.from([0xff]), signature: Buffer.alloc(64), resent: 0 })]),
    ],
    'by a receipt before any byte': ['CORRUPT', ({ $case }) => ($case === 'open' ? [stored()] : [])],
    'by claiming to have it and no receipt': ['TIMEOUT', () => [encodeHave(0, true)]],
    'by ending instead of a receipt': ['CORRUPT', ({ $case }) => ($case === 'open' ? [encodeHave(0, false)] : 'end')],
    'by two receipts': ['CORRUPT', honest(() => [stored(), stored()])],
    'by bytes that are no message': ['CORRUPT', () => [Buffer.from([0xff, 0xff])]],
    'by asking again for ever': ['CORRUPT', honest(() => [encodeResend([1])])],
    'by asking again for what does not exist': ['CORRUPT', honest(() => [encodeResend([31])])],
    'by asking again for nothing': ['CORRUPT', honest(() => [encodeResend([])])],
    'by asking again in the wrong order': ['CORRUPT', honest(() => [encodeResend([2, 1])])],
    'by saying nothing': ['TIMEOUT', () => []],
    'by a message larger than any': ['LIMIT_EXCEEDED', () => [Buffer.alloc(MAX_MESSAGE_BYTES + 1)]],
  };
  for (const [how, [expected, script]] of Object.entries(lies)) {
    it(`${how} is ${expected}`, async () => {
      await assert.rejects(put(script), code(expected));
    });
  }

  it('by asking again for what does not exist does not reach the source', async () => {
    const watched = new WatchedSource(content);
    const put31 = put(
      honest(() => [encodeResend([31])]),
      watched.source,
    );
    await assert.rejects(put31, code('CORRUPT'));
    assert.deepEqual(watched.asked, [[0, 1, 2, 3]]);
  });

  it('by never reading is TIMEOUT', async () => {
    await using server = await lyingReceiver(liar, {
      storeChunk: (call: StoreChunkCall) => {
        call.once('data', () => {
          call.write(encodeHave(0, false));
          call.pause();
        });
      },
    });
    await using store = storeAt(server);
    const header = { ...shape, owner: user.id, label: Buffer.alloc(10) };
    const put = store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal, grant: Buffer.alloc(10) });
    await assert.rejects(put, code('TIMEOUT'));
  });

  it('about what it has names nothing that was not asked for', async () => {
    const stranger = describeChunk(Buffer.from('stranger')).id;
    await using server = await lyingReceiver(liar, {
      hasChunks: (_call: unknown, respond: (error: null, value: unknown) => void) => {
        const told = [idBytes(stranger), idBytes(shape.id)];
        respond(null, { chunks: told, damaged: told, withdrawn: told, opened: Buffer.alloc(99, 1) });
      },
    });
    await using store = storeAt(server);
    assert.deepEqual([...(await store.has([shape.id], { signal }))], [shape.id]);
    const { damaged, withdrawn, opened } = await store.holdings([shape.id], { signal });
    assert.deepEqual([...damaged, ...withdrawn], [shape.id, shape.id]);
    assert.equal(opened.length, 32, 'it is kept, so it is bounded');
  });

  it('about what it has with ids that are none is CORRUPT', async () => {
    await using server = await lyingReceiver(liar, {
      hasChunks: (_call: unknown, respond: (error: null, value: unknown) => void) => {
        respond(null, { chunks: [Buffer.alloc(31)], damaged: [], withdrawn: [], opened: Buffer.alloc(0) });
      },
    });
    await using store = storeAt(server);
    await assert.rejects(store.has([shape.id], { signal }), code('CORRUPT'));
  });
});
