import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ControlClient } from '../../src/cli/control-client.js';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import type { Service } from '../../src/config.js';
import { StorageError } from '../../src/errors.js';
import type { SyncReply } from '../../src/gateways/http/api.js';
import { provisionDevnet } from '../../src/provision.js';
import { ServeProcess } from './processes.js';

export const PASSPHRASE = 'a passphrase for tests';
/** A condition that does not come true within this is a failure: the longest wait of a replication is a minute. */
const PATIENCE_MS = 45_000;
const POLL_MS = 50;

export interface SyncNetworkOptions {
  readonly peers: number;
  readonly backupHosts: number;
  /** Services that peers have in processes of their own. A peer that is no backup host runs no couchdb. */
  readonly separate?: readonly Service[];
  /** Which peers have them so; default all. */
  readonly separateAt?: readonly number[];
}

type Role = Service | 'peer';

/** Peers of one network, numbered from 1, as processes. The first ones are backup hosts. */
export class SyncNetwork implements AsyncDisposable {
  readonly folder: string;
  readonly #options: Required<SyncNetworkOptions>;
  readonly #homes: readonly string[];
  readonly #running = new Map<string, ServeProcess>();
  readonly #clients = new Map<number, ControlClient>();

  private constructor(folder: string, homes: readonly string[], options: Required<SyncNetworkOptions>) {
    this.folder = folder;
    this.#homes = homes;
    this.#options = options;
  }

  /** Makes the homes; nothing runs yet. */
  static async make({ separate = [], separateAt, ...options }: SyncNetworkOptions): Promise<SyncNetwork> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-sync-'));
    const ports = await chooseFreePorts(options.peers);
    const { peers } = await provisionDevnet({
      dir: folder,
      peers: ports.map((port, i) => ({ n: i + 1, port, zone: `zone-${String(i)}`, name: `peer-${String(i + 1)}` })),
      backupHosts: options.backupHosts,
      passphrase: PASSPHRASE,
    });
    const homes = peers.map(({ home }) => home);
    return new SyncNetwork(folder, homes, {
      ...options,
      separate,
      separateAt: separateAt ?? ports.map((_, i) => i + 1),
    });
  }

  /** Makes the homes and starts everything. */
  static async open(options: SyncNetworkOptions): Promise<SyncNetwork> {
    const network = await SyncNetwork.make(options);
    try {
      const started = await Promise.allSettled(network.numbers.map((n) => network.start(n)));
      for (const each of started) if (each.status === 'rejected') throw each.reason;
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  get numbers(): number[] {
    return this.#homes.map((_, index) => index + 1);
  }

  home(n: number): string {
    return this.#homes[n - 1] ?? '';
  }

  process(n: number, role: Role = 'peer'): ServeProcess {
    const running = this.#running.get(keyOf(n, role));
    assert.ok(running !== undefined, `${role} of peer ${String(n)} runs`);
    return running;
  }

  /** The services of a peer, and the peer. */
  async start(n: number): Promise<void> {
    for (const role of this.#roles(n)) await this.startOne(n, role);
  }

  async startOne(n: number, role: Role): Promise<void> {
    const key = keyOf(n, role);
    assert.ok(!this.#running.has(key), `${key} does not run`);
    const service = role === 'peer' ? {} : { service: role };
    const separate = this.#separateAt(n);
    this.#running.set(key, await ServeProcess.start({ home: this.home(n), separate, ...service }));
  }

  async end(n: number, role: Role, signal?: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const running = this.process(n, role);
    this.#running.delete(keyOf(n, role));
    await running.end(signal);
  }

  /** All processes of a peer. */
  async stop(n: number, signal: 'SIGKILL' | 'SIGTERM' = 'SIGTERM'): Promise<void> {
    for (const role of this.#roles(n).reverse()) await this.end(n, role, signal);
  }

  client(n: number): ControlClient {
    const client = this.#clients.get(n) ?? new ControlClient(this.home(n), { signal: new AbortController().signal });
    this.#clients.set(n, client);
    return client;
  }

  async unlock(n: number, passphrase = PASSPHRASE): Promise<void> {
    await this.client(n).unlock('demo', passphrase);
  }

  async put(n: number, path: string, text: string): Promise<void> {
    const { missingChunks } = await this.client(n).upload(path, bytesOf(text));
    assert.equal(missingChunks, 0, `every chunk of ${path} is stored`);
  }

  async read(n: number, path: string, version?: string): Promise<string> {
    const parts: Uint8Array[] = [];
    for await (const part of this.client(n).download(path, { version })) parts.push(part);
    return Buffer.concat(parts).toString('utf8');
  }

  /** Everything as a peer lists it: paths in order, folders with a slash at the end. */
  async tree(n: number): Promise<string[]> {
    const entries = await this.client(n).list('/', { recursive: true });
    return entries.map(({ path, type }) => (type === 'folder' ? `${path}/` : path)).sort();
  }

  async sync(n: number): Promise<SyncReply> {
    return (await this.client(n).status()).sync;
  }

  /** Until a peer lists exactly this. */
  async waitForTree(n: number, expected: readonly string[]): Promise<void> {
    const wanted = [...expected].sort();
    await eventually(async () => assert.deepEqual(await this.tree(n), wanted, `what peer ${String(n)} lists`));
  }

  /** Until every stream of a peer has copied everything. */
  async waitForSync(n: number): Promise<void> {
    await eventually(async () => {
      const { error, streams } = await this.sync(n);
      assert.equal(error, null);
      const late = streams.filter(({ phase, pending }) => phase !== 'waiting' || (pending ?? 0) > 0);
      assert.deepEqual(late, [], `what peer ${String(n)} has not copied`);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    await Promise.all([...this.#running.values()].map((running) => running.end()));
    if (process.env['SHOAL_TEST_LOGS'] !== undefined) {
      for (const [key, { log }] of this.#running) process.stderr.write(`--- ${key}\n${log}\n`);
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  #separateAt(n: number): readonly Service[] {
    const { separate, separateAt } = this.#options;
    return separateAt.includes(n) ? separate : [];
  }

  /** In the order in which they start. */
  #roles(n: number): Role[] {
    const { backupHosts } = this.#options;
    const separate = this.#separateAt(n);
    const services = (['pouchdb', 'couchdb', 'db-service'] as const).filter((service) => separate.includes(service));
    return [...services.filter((service) => service !== 'couchdb' || n <= backupHosts), 'peer'];
  }
}

/** Tries again until it does not fail. */
export async function eventually(check: () => Promise<void>): Promise<void> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      await check();
      return;
    } catch (error) {
      if (performance.now() > until) throw error;
    }
    await sleep(POLL_MS);
  }
}

/** What it fails with. */
export async function failureOf(work: Promise<unknown>): Promise<StorageError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof StorageError);
    return error;
  }
  assert.fail('it did not fail');
}

function keyOf(n: number, role: Role): string {
  return `${role} of peer ${String(n)}`;
}

async function* bytesOf(text: string): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield Buffer.from(text);
}
