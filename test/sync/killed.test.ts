import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Service } from '../../src/config.js';
import { StorageError } from '../../src/errors.js';
import { SeededNumbers } from '../e2e/programs/seeded.js';
import { eventually, SyncNetwork } from './sync-network.js';

/** Set it to repeat a run. */
const SEED = process.env['SHOAL_TEST_SEED'] ?? String(Date.now());
const SERVICES = ['pouchdb', 'couchdb', 'db-service'] as const satisfies readonly Service[];
const ROUNDS = 3;
/** A kill falls anywhere within this time, and so does the restart after it. */
const LIFE_MS = 300;
const UNANSWERED = /start it with `shoal serve (pouchdb|db-service)`/;

/** Puts small files as fast as it goes, and unlocks when that is asked for. */
class Writer {
  readonly acknowledged: string[] = [];
  readonly failures: StorageError[] = [];
  readonly #network: SyncNetwork;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(network: SyncNetwork) {
    this.#network = network;
    this.#running = this.#run();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let number = 0; !this.#stop.signal.aborted; number++) {
      const path = `/file-${String(number)}`;
      try {
        await this.#network.put(1, path, path);
        this.acknowledged.push(path);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        this.failures.push(error);
        if (error.code === 'LOCKED') await this.#unlock();
        else await sleep(20);
      }
    }
  }

  async #unlock(): Promise<void> {
    try {
      await this.#network.unlock(1);
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.failures.push(error);
    }
  }
}

describe(`services that are killed under writes (SHOAL_TEST_SEED=${SEED})`, { timeout: 180_000 }, () => {
  it('lose nothing that was acknowledged, and the peer goes on by itself', async () => {
    const numbers = new SeededNumbers(SEED);
    await using network = await SyncNetwork.open({ peers: 3, backupHosts: 1, separate: SERVICES, separateAt: [1] });
    for (const n of [1, 3]) await network.unlock(n);
    const writer = new Writer(network);
    for (let kill = 0; kill < ROUNDS * SERVICES.length; kill++) {
      const service = SERVICES[kill % SERVICES.length] ?? 'pouchdb';
      await sleep(numbers.below(LIFE_MS));
      await network.end(1, service, 'SIGKILL');
      await sleep(numbers.below(LIFE_MS));
      await network.startOne(1, service);
    }
    const before = writer.acknowledged.length;
    await eventually(async () => assert.ok(writer.acknowledged.length > before + 2, 'it goes on'));
    await writer.stop();
    verifyFailures(writer.failures);

    const { acknowledged } = writer;
    for (const n of [1, 3]) {
      await eventually(async () => {
        const tree = new Set(await network.tree(n));
        assert.deepEqual(
          acknowledged.filter((path) => !tree.has(path)),
          [],
          `missing at peer ${String(n)}`,
        );
      });
      for (const path of acknowledged.filter((_, index) => index % 7 === 0)) {
        await eventually(async () => assert.equal(await network.read(n, path), path));
      }
    }
    for (const n of [1, 3]) await network.waitForSync(n);
  });
});

/** What was said meanwhile tells what to do. */
function verifyFailures(failures: readonly StorageError[]): void {
  const said = failures.map(({ code, message }) => `${code} ${message}`);
  const unclear = said.filter(
    (text) => !(text.startsWith('UNAVAILABLE ') && UNANSWERED.test(text)) && !/^LOCKED .*[Uu]nlock/.test(text),
  );
  assert.deepEqual([...new Set(unclear)], []);
  assert.ok(
    said.some((text) => text.includes('shoal serve pouchdb')),
    'PouchDB hosting was missed',
  );
  assert.ok(
    said.some((text) => text.includes('shoal serve db-service')),
    'the DB Service was missed',
  );
  assert.ok(
    said.some((text) => text.startsWith('LOCKED ')),
    'sessions end with the DB Service',
  );
}
