import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, it } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { parseChunkId, parseFileId, parsePeerId, parseStripeId, parseVersionId } from '../../chunk/ids.js';
import { WorkerPool } from './pool.js';
import {
  isFailure,
  type FetchStripeJob,
  type StripeHostCalls,
  type Piece,
  type StoreStripeJob,
  type Target,
} from './protocol.js';

const signal = new AbortController().signal;
const SELF = parsePeerId(new Uint8Array(32).fill(1));
const own: Target = { id: SELF, name: 'peer-1', address: undefined, certificate: new Uint8Array(), doubtful: false };

/** Resolves each call of the host when the test says so. */
class Host {
  readonly authorizing: (() => void)[] = [];
  readonly reading: (() => void)[] = [];
  #called = (): void => undefined;

  /** Resolves with the next call that a worker makes. */
  call(): Promise<void> {
    return new Promise((resolve) => (this.#called = resolve));
  }

  readonly calls: StripeHostCalls = {
    authorize: async () => {
      const held = new Promise<void>((resolve) => this.authorizing.push(resolve));
      this.#called();
      await held;
      return { owner: '' as never, label: new Uint8Array(), grant: new Uint8Array(), targets: [own, own, own] };
    },
    putLocal: async () => ({ existed: false, resent: 0 }),
    getLocal: async () => {
      const held = new Promise<void>((resolve) => this.reading.push(resolve));
      this.#called();
      await held;
      throw new Error('nothing is stored here');
    },
    progress: async () => undefined,
    answered: async () => undefined,
  };
}

/** What ends a thread in the middle of its work. */
const ENDS: Readonly<Record<string, (thread: Worker) => void>> = {
  'is terminated': (thread) => void thread.terminate(),
  'fails by an error that nobody catches': (thread) => {
    thread.emit('error', new Error('out of memory'));
    void thread.terminate();
  },
};

describe('WorkerPool', () => {
  let folder: string;
  let host: Host;
  let pool: WorkerPool;
  let threads: Worker[];
  const onWorker = (thread: Worker): void => void threads.push(thread);

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'shoal-pool-'));
    process.on('worker', onWorker);
  });
  after(async () => {
    process.off('worker', onWorker);
    await rm(folder, { recursive: true });
  });
  beforeEach(() => {
    [threads, host] = [[], new Host()];
    const identity = { peer: SELF, key: '', certificate: '', authority: '' };
    pool = new WorkerPool({ identity, host: host.calls, threads: 1, stripesPerThread: 1 });
  });
  afterEach(() => pool.close());

  async function local(): Promise<Piece['source']> {
    const path = join(folder, 'file');
    await writeFile(path, new Uint8Array(5000));
    const { dev, ino, mtimeMs } = await stat(path, { bigint: true });
    return { local: path, device: String(dev), inode: String(ino), fileBytes: 5000, modifiedMs: Number(mtimeMs) };
  }

  function storing(source: Piece['source']): StoreStripeJob {
    const file = parseFileId(new Uint8Array(16));
    const version = parseVersionId(new Uint8Array(16));
    const times = { modifiedMs: 0, createdMs: 0 };
    const piece: Piece = {
      file,
      version,
      path: '/f',
      ...times,
      mode: 0,
      fileOffset: 0,
      bytes: 5000,
      last: true,
      source,
    };
    const keys = { directorySalt: new Uint8Array(32), directoryKey: new Uint8Array(32) };
    return { job: 1, k: 2, m: 1, pieces: [piece], mentions: [], ...keys };
  }

  function fetching(): FetchStripeJob {
    const stripe = parseStripeId(new Uint8Array(32));
    const chunks = [1, 2, 3].map((fill) => parseChunkId(new Uint8Array(32).fill(fill)));
    const extent = { key: new Uint8Array(32), stripe, offset: 0, sealedBytes: 100, bytes: 36 };
    const shape = { k: 2, m: 1, bytes: 3000, chunkBytes: 1500 };
    return {
      job: 1,
      stripe,
      ...shape,
      chunks,
      sources: [own, own, own],
      pace: [0, 0, 0],
      reads: [{ extent, from: 0, to: 36 }],
    };
  }

  function endThread(end: (thread: Worker) => void): void {
    const thread = threads.at(-1);
    assert.ok(thread !== undefined);
    end(thread);
  }

  for (const [how, end] of Object.entries(ENDS)) {
    it(`a put from a file begins anew when its thread ${how}`, async () => {
      const asked = host.call();
      const putting = pool.storeStripe(storing(await local()), signal);
      await asked;
      const askedAgain = host.call();
      endThread(end);
      await askedAgain;
      assert.equal(threads.length, 2);
      for (const release of host.authorizing) release();
      const { stripe, outcomes } = await putting;
      assert.ok(stripe?.placement.every((place) => place?.peer === SELF));
      assert.ok(outcomes.every((outcome) => !isFailure(outcome)));
    });

    it(`a put whose bytes were handed over fails clearly when its thread ${how}, and the next one succeeds`, async () => {
      const asked = host.call();
      const putting = pool.storeStripe(storing([Buffer.allocUnsafeSlow(5000)]), signal);
      await asked;
      endThread(end);
      await assert.rejects(putting, { code: 'UNAVAILABLE', message: /worker thread of this peer ended\. Try again/ });
      const askedAgain = host.call();
      const next = pool.storeStripe(storing(await local()), signal);
      await askedAgain;
      for (const release of host.authorizing) release();
      assert.ok((await next).stripe !== undefined);
      assert.equal(threads.length, 2);
    });

    it(`a get begins anew when its thread ${how}, once`, async () => {
      const asked = host.call();
      const getting = pool.fetchStripe(fetching(), signal);
      await asked;
      const askedAgain = host.call();
      endThread(end);
      await askedAgain;
      endThread(end);
      await assert.rejects(getting, { code: 'UNAVAILABLE', message: /worker thread of this peer ended/ });
      assert.equal(threads.length, 2);
    });
  }

  it('a renewed certificate is for threads that begin when the former ones have nothing to do', async () => {
    const asked = host.call();
    const putting = pool.storeStripe(storing(await local()), signal);
    await asked;
    pool.renew({ peer: SELF, key: '', certificate: 'renewed', authority: '' });
    for (const release of host.authorizing) release();
    assert.ok((await putting).stripe !== undefined);
    assert.equal(threads.length, 1);
    const askedAgain = host.call();
    const next = pool.storeStripe(storing(await local()), signal);
    await askedAgain;
    for (const release of host.authorizing) release();
    assert.ok((await next).stripe !== undefined);
    assert.equal(threads.length, 2);
  });

  it('what is under way when it closes ends, and nothing is begun anew', async () => {
    const asked = host.call();
    const getting = pool.fetchStripe(fetching(), signal);
    await asked;
    const ended = assert.rejects(getting, { code: 'CANCELLED' });
    await pool.close();
    await ended;
    assert.equal(threads.length, 1);
  });
});
