import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ChunkHeader, SegmentSource, Stored } from '../../chunk/chunk-store.js';
import { parsePeerId, parseUserId, type PeerId } from '../../chunk/ids.js';
import { describeChunk } from '../../chunk/segments.js';
import { type ErrorCode, StorageError } from '../../errors.js';
import type { WorkerContext } from './context.js';
import { sendChunks, type Sent } from './send-chunks.js';
import type { Target } from './protocol.js';

const OWNER = parseUserId(new Uint8Array(32));
const CHUNKS = [1, 2, 3].map((fill) => new Uint8Array(300_000).fill(fill));

function peer(n: number): PeerId {
  return parsePeerId(new Uint8Array(32).fill(n));
}

/** Targets 1 to `count`, of which each fails as often as it is told and then stores. */
class Targets {
  readonly fails = new Map<number, ErrorCode[]>();
  /** Targets in the order in which they were tried, with the segments that they lacked. */
  readonly tried: { readonly n: number; readonly missing: readonly number[] }[] = [];
  readonly answers: string[] = [];
  readonly doubtful = new Set<number>();
  required = 2;
  readonly #count: number;
  readonly #has = new Map<number, number>();

  constructor(count: number) {
    this.#count = count;
  }

  send(signal: AbortSignal): Promise<Sent> {
    const targets = Array.from({ length: this.#count }, (_, i): Target => {
      const doubtful = this.doubtful.has(i + 1);
      return {
        id: peer(i + 1),
        name: `peer-${String(i + 1)}`,
        address: 'x:1',
        certificate: new Uint8Array(),
        doubtful,
      };
    });
    const chunks = CHUNKS.map((bytes) => ({ header: { ...describeChunk(bytes), owner: OWNER, label: bytes }, bytes }));
    const authorization = { owner: OWNER, label: new Uint8Array(), grant: new Uint8Array(), targets };
    return sendChunks(chunks, {
      context: this.#context(),
      authorization,
      signal,
      required: this.required,
      onSent: () => undefined,
    });
  }

  #context(): WorkerContext {
    const context = {
      host: {
        answered: async ({ peer: id, how }: { peer: PeerId; how: string }) => {
          this.answers.push(`${how} ${String(Number.parseInt(id.slice(0, 2), 16))}`);
        },
      },
      mover: async (target: Target) => ({
        put: (header: ChunkHeader, source: SegmentSource) =>
          this.#put(Number.parseInt(target.id.slice(0, 2), 16), header, source),
      }),
    };
    return context as unknown as WorkerContext;
  }

  /** A target that fails has kept the first segment. */
  async #put(n: number, _header: ChunkHeader, source: SegmentSource): Promise<Stored> {
    const missing = [0, 1, 2].slice(this.#has.get(n) ?? 0);
    this.tried.push({ n, missing });
    const failure = this.fails.get(n)?.shift();
    for await (const { index } of source(missing)) {
      this.#has.set(n, index + 1);
      if (failure !== undefined) break;
    }
    if (failure !== undefined) throw new StorageError(failure, 'It failed.');
    return { existed: false, resent: 0 };
  }
}

describe('sendChunks', () => {
  const signal = new AbortController().signal;

  beforeEach(() => {
    mock.timers.enable({ apis: ['setTimeout'] });
  });
  afterEach(() => {
    mock.timers.reset();
  });

  async function finish(sending: Promise<Sent>): Promise<Sent> {
    const state = { ended: false };
    const end = (): void => void (state.ended = true);
    sending.then(end, end);
    for (let n = 0; !state.ended; n++) {
      assert.ok(n < 400, 'it ends');
      for (let k = 0; k < 5; k++) await turn();
      mock.timers.tick(100);
    }
    return sending;
  }

  function peersOf({ placement }: Sent): (number | undefined)[] {
    return placement.map((place) => (place === undefined ? undefined : Number.parseInt(place.peer.slice(0, 2), 16)));
  }

  it('sends chunk i to target i and leaves spares alone', async () => {
    const targets = new Targets(5);
    const sent = await finish(targets.send(signal));
    assert.deepEqual(peersOf(sent), [1, 2, 3]);
    assert.deepEqual(sent.strays, []);
    assert.equal(targets.tried.length, 3);
  });

  for (const failure of ['UNAVAILABLE', 'CANCELLED'] as const) {
    it(`resumes at the same target after ${failure}, though there are spares`, async () => {
      const targets = new Targets(5);
      targets.fails.set(2, [failure, failure]);
      const sent = await finish(targets.send(signal));
      assert.deepEqual(peersOf(sent), [1, 2, 3]);
      assert.deepEqual(
        targets.tried.filter(({ n }) => n === 2).map(({ missing }) => missing),
        [[0, 1, 2], [1, 2], [2]],
      );
      assert.ok(!targets.answers.includes('failed 2'));
    });
  }

  it('a spare takes the place of a target that keeps failing, which may hold the chunk all the same', async () => {
    const targets = new Targets(5);
    targets.fails.set(2, Array<ErrorCode>(9).fill('UNAVAILABLE'));
    targets.fails.set(4, ['NO_SPACE']);
    const sent = await finish(targets.send(signal));
    assert.deepEqual(peersOf(sent), [1, 5, 3]);
    assert.deepEqual(
      sent.strays.map(({ peer: id }) => id),
      [peer(2)],
      'a target that refuses holds nothing',
    );
    assert.ok(targets.answers.includes('failed 2'));
    assert.ok(!targets.answers.includes('failed 4'), 'a full peer is up');
  });

  it('a target that is silent or in doubt is replaced at once', async () => {
    const targets = new Targets(5);
    targets.fails.set(1, ['TIMEOUT']);
    targets.fails.set(3, ['UNAVAILABLE']);
    targets.doubtful.add(3);
    assert.deepEqual(peersOf(await finish(targets.send(signal))).sort(), [2, 4, 5]);
  });

  it('without spares there is more patience, and an end to it', async () => {
    const targets = new Targets(3);
    targets.fails.set(1, Array<ErrorCode>(3).fill('TIMEOUT'));
    targets.fails.set(2, Array<ErrorCode>(9).fill('UNAVAILABLE'));
    const sent = await finish(targets.send(signal));
    assert.deepEqual(peersOf(sent), [1, undefined, 3]);
    assert.equal(targets.tried.filter(({ n }) => n === 2).length, 4);
  });

  it('waits for a target without which all would be lost, and goes on where it was', async () => {
    const targets = new Targets(3);
    targets.required = 3;
    targets.fails.set(1, Array<ErrorCode>(6).fill('UNAVAILABLE'));
    const sent = await finish(targets.send(signal));
    assert.deepEqual(peersOf(sent), [1, 2, 3]);
    assert.deepEqual(sent.strays, [], 'what it holds is known now');
    assert.equal(targets.tried.filter(({ n }) => n === 2).length, 1, 'the others are left alone');
  });

  it('gives up on it in the end, and at once when it refuses', async () => {
    const targets = new Targets(3);
    targets.required = 3;
    targets.fails.set(1, Array<ErrorCode>(20).fill('UNAVAILABLE'));
    const sent = await finish(targets.send(signal));
    assert.deepEqual(peersOf(sent), [undefined, 2, 3]);
    assert.deepEqual(
      sent.strays.map(({ peer: id }) => id),
      [peer(1)],
    );
    assert.equal(targets.tried.filter(({ n }) => n === 1).length, 7);
    const refusing = new Targets(3);
    refusing.required = 3;
    refusing.fails.set(1, [...Array<ErrorCode>(5).fill('UNAVAILABLE'), 'NO_SPACE']);
    assert.deepEqual((await finish(refusing.send(signal))).strays, []);
    assert.equal(refusing.tried.filter(({ n }) => n === 1).length, 6);
  });

  it('ends with the reason when it is aborted while it waits', async () => {
    const targets = new Targets(3);
    targets.fails.set(1, Array<ErrorCode>(9).fill('UNAVAILABLE'));
    const abort = new AbortController();
    const sending = targets.send(abort.signal);
    for (let k = 0; k < 5; k++) await turn();
    abort.abort(new StorageError('CANCELLED', 'Enough.'));
    await assert.rejects(sending);
  });
});
