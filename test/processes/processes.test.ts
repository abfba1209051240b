/** A peer whose services are processes of their own, one of three peers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DefaultHttpStack, Upload } from 'tus-js-client';
import { SERVICES, type Service } from '../../src/config.js';
import { StorageError } from '../../src/errors.js';
import { socketPath } from '../../src/socket-path.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { eventually } from '../sync/sync-network.js';
import { ProcessStage } from './stage.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const FILE_BYTES = 50_000_000;

interface Away {
  readonly put?: RegExp;
  readonly get?: RegExp;
  /** If it fails at all. */
  readonly mayGet?: RegExp;
  readonly locks?: boolean;
}

/** What is said while a service is away, and whether reading goes on. */
const AWAY: Readonly<Record<Service, Away>> = {
  // What was read lately is known without it.
  pouchdb: { put: /shoal serve pouchdb/, mayGet: /shoal serve pouchdb/ },
  couchdb: {},
  'db-service': { put: /shoal serve db-service/, get: /shoal serve db-service/, locks: true },
  // Of three peers all are needed for a put; the others of this one say so.
  'file-receiver': { put: /start .*shoal serve file-receiver/i, get: /shoal serve file-receiver/ },
  'file-sender': { put: /shoal serve file-sender/ },
  front: {},
  gateway: { put: /No Shoal peer runs/, get: /No Shoal peer runs/, locks: true },
};

describe('a process for every service', { timeout: 240_000 }, () => {
  let stage: ProcessStage;
  const bytes = seededBytes('processes', FILE_BYTES);

  before(async () => {
    stage = await ProcessStage.open();
  });
  after(() => stage[Symbol.asyncDispose]());

  function check(service: Service, what: 'live' | 'ready'): { readonly code: number | null; readonly said: string } {
    const words = [MAIN, 'serve', service, `--check=${what}`, '--home', stage.home];
    const env = { PATH: process.env['PATH'], TMPDIR: process.env['TMPDIR'], SHOAL_SEPARATE: SERVICES.join(',') };
    const { status, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
    return { code: status, said: stderr };
  }

  it('puts and gets 50 MB, and knows of nothing that is missing', async () => {
    await stage.put('/large', bytes);
    assert.ok((await stage.read('/large')).equals(bytes));
    for await (const { event } of stage.client.compareNow()) assert.equal(event, 'done');
    const { missing, store, outbox, peers, safety } = await stage.client.status();
    assert.deepEqual(missing, []);
    assert.ok((store?.chunks ?? 0) > 0, 'the gateway asks the File Receiver');
    assert.equal(outbox.pendingDeletes, 0);
    assert.equal(safety?.files.healthy.files, 1, 'the gateway asks the File Sender');
    assert.ok(safety.compared !== null && safety.machines.every(({ denied }) => denied === 0));
    assert.deepEqual(
      peers.map(({ up }) => up),
      [true, true, true],
    );
  });

  it('scrubs where the File Receiver runs, asked by way of the gateway', async () => {
    const store = join(stage.home, 'chunks', 'chunks');
    const [chunk = ''] = (await readdir(store, { recursive: true })).filter((name) => name.length > 64);
    await truncate(join(store, chunk), 100_000);
    for await (const outcome of stage.client.scrubNow()) {
      if (outcome.event !== 'done') continue;
      assert.equal(outcome.totals.healedChunks, 1);
      assert.equal(outcome.totals.movedBytes, 2 * outcome.totals.healedBytes);
    }
    assert.equal((await stage.client.scrub()).totals.healedChunks, 1);
  });

  it('replicates through its own front, with CouchDB hosting behind it', async () => {
    await eventually(async () => {
      const { error, streams } = (await stage.client.status()).sync;
      assert.equal(error, null);
      assert.ok(streams.length > 0);
      assert.deepEqual(
        streams.filter(({ phase, pending }) => phase !== 'waiting' || (pending ?? 0) > 0),
        [],
      );
    });
  });

  it('is let in nowhere twice', async () => {
    for (const service of ['file-sender', 'front', 'gateway'] as const) {
      await assert.rejects(stage.another(service), /runs already, in another process. Stop that one first/);
    }
  });

  it('says to a probe whether it is ready, and why not', async () => {
    assert.deepEqual(check('file-sender', 'ready'), { code: 0, said: '' });
    await stage.end('file-sender');
    const gone = check('file-sender', 'live');
    assert.equal(gone.code, 1);
    assert.match(gone.said, /shoal serve file-sender/);
    const gateway = check('gateway', 'ready');
    assert.equal(gateway.code, 1);
    assert.match(gateway.said, /shoal serve file-sender/);
    assert.deepEqual(check('gateway', 'live'), { code: 0, said: '' });
    const { missing, outbox, safety } = await stage.client.status();
    assert.equal(safety, null);
    assert.deepEqual([missing.map(({ service }) => service), outbox.pendingDeletes], [['file-sender'], null]);
    await stage.start('file-sender');
  });

  for (const service of SERVICES) {
    it(`goes on without ${service}, as far as it can, and with it again after kill -9 under load`, async () => {
      const { put, get, mayGet, locks } = AWAY[service];
      await stage.put(`/before-${service}`, bytes.subarray(0, 300_000));
      const load = stage.put(`/under-load-${service}`, bytes.subarray(0, 20_000_000)).catch((error: unknown) => error);
      await sleep(100);
      await stage.end(service);
      const ended = await load;
      assert.ok(ended === undefined || ended instanceof StorageError, String(ended));
      await assertSays(put, () => stage.put('/away', bytes.subarray(0, 1000)));
      if (mayGet === undefined) await assertSays(get, () => stage.read(`/before-${service}`));
      else await stage.read(`/before-${service}`).catch((error: unknown) => assert.match(String(error), mayGet));
      await stage.start(service);
      if (locks === true) await eventually(() => stage.unlock());
      await eventually(() => stage.put(`/after-${service}`, bytes.subarray(0, 300_000)));
      await eventually(async () => {
        assert.ok((await stage.read(`/before-${service}`)).equals(bytes.subarray(0, 300_000)));
      });
      assert.ok((await stage.read(`/after-${service}`)).equals(bytes.subarray(0, 300_000)));
    });
  }

  it('a gateway that was told whom to unlock does so at each start, whoever was restarted with it', async () => {
    const words = ['--unlock-file', await stage.unlockFile()];
    await eventually(() => stage.put('/unlocked', bytes.subarray(0, 1000)));
    for (const others of [[], ['db-service'], ['pouchdb', 'db-service']] as const) {
      for (const service of ['gateway', ...others] as const) await stage.end(service);
      await Promise.all([stage.start('gateway', ...words), ...others.map((service) => stage.start(service))]);
      // Nobody unlocks here, so what is locked stays so.
      await eventually(async () => assert.ok((await stage.read('/unlocked')).equals(bytes.subarray(0, 1000))));
    }
  });

  for (const service of ['file-sender', 'front', 'gateway'] as const) {
    it(`a put that is under way when ${service} is asked to end is finished first`, async () => {
      const begun = new AbortController();
      const slow = async function* (): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 1_000_000);
        begun.abort();
        await sleep(700);
        yield bytes.subarray(1_000_000, 3_000_000);
      };
      const putting = stage.put(`/slow-${service}`, slow());
      if (!begun.signal.aborted) await once(begun.signal, 'abort');
      await sleep(100);
      const ending = stage.end(service, 'SIGTERM');
      await putting;
      await ending;
      await stage.start(service);
      if (service === 'gateway') await stage.unlock();
      assert.ok((await stage.read(`/slow-${service}`)).equals(bytes.subarray(0, 3_000_000)));
    });
  }

  it('a put goes on when the File Receiver is restarted in the middle', async () => {
    const putting = stage.put('/restarted', bytes);
    await sleep(200);
    await stage.end('file-receiver', 'SIGTERM');
    await stage.start('file-receiver');
    await putting;
    assert.ok((await stage.read('/restarted')).equals(bytes));
  });

  it('an upload by tus goes through the gateway, and on when the File Sender was killed', async () => {
    let killed: Promise<void> | undefined;
    await new Promise<void>((resolve, reject) => {
      const upload = new Upload(Buffer.from(bytes), {
        endpoint: 'http://localhost/v1/uploads',
        httpStack: new DefaultHttpStack({ socketPath: socketPath(stage.home, 'control') }),
        chunkSize: 5_000_000,
        // It asks again while the process starts, which may take long on a busy machine.
        retryDelays: Array.from({ length: 60 }, () => 1000),
        metadata: { path: '/uploaded' },
        onChunkComplete: (_size, accepted) => {
          if (accepted < 15_000_000) return;
          killed ??= stage.end('file-sender').then(() => stage.start('file-sender'));
        },
        onSuccess: () => {
          resolve();
        },
        onError: reject,
      });
      upload.start();
    });
    assert.ok(killed !== undefined);
    await killed;
    assert.ok((await stage.read('/uploaded')).equals(bytes));
    assert.deepEqual(await stage.client.uploads(), []);
  });
});

/** @param words undefined: it works all the same */
async function assertSays(words: RegExp | undefined, work: () => Promise<unknown>): Promise<void> {
  if (words === undefined) await work();
  else await assert.rejects(work, (error) => error instanceof StorageError && words.test(error.message));
}
