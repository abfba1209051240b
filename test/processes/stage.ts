import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlClient } from '../../src/cli/control-client.js';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import { SERVICES, type Service } from '../../src/config.js';
import { provisionDevnet } from '../../src/provision.js';
import { ServeProcess } from '../sync/processes.js';

const PASSPHRASE = 'a passphrase for tests';

/** Three peers: the first a process for each service, the others one process each. */
export class ProcessStage implements AsyncDisposable {
  readonly client: ControlClient;
  readonly #folder: string;
  readonly #home: string;
  readonly #environment: Readonly<Record<string, string>> | undefined;
  readonly #services = new Map<Service, ServeProcess>();
  readonly #others: ServeProcess[] = [];
  readonly #otherHomes: readonly string[];

  private constructor(
    folder: string,
    [home = '', ...others]: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ) {
    this.#folder = folder;
    this.#environment = environment;
    this.#otherHomes = others;
    this.#home = home;
    this.client = new ControlClient(home, { signal: new AbortController().signal });
  }

  /** @param environment of every process, beside the usual */
  static async open(environment?: Readonly<Record<string, string>>): Promise<ProcessStage> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-processes-'));
    const ports = await chooseFreePorts(3);
    const { peers } = await provisionDevnet({
      dir: folder,
      peers: ports.map((port, i) => ({ n: i + 1, port, zone: `zone-${String(i)}`, name: `peer-${String(i + 1)}` })),
      backupHosts: 1,
      passphrase: PASSPHRASE,
    });
    const homes = peers.map(({ home }) => home);
    const stage = new ProcessStage(folder, homes, environment);
    try {
      // The last ones first: each waits for those that it needs.
      const starting = [...SERVICES].reverse().map((service) => stage.start(service));
      await Promise.all([...starting, ...stage.#otherHomes.map((home) => stage.#startOther(home))]);
      await stage.unlock();
      return stage;
    } catch (error) {
      await stage[Symbol.asyncDispose]();
      throw error;
    }
  }

  get home(): string {
    return this.#home;
  }

  /** What the process of a service has logged. */
  log(service: Service): string {
    return this.#services.get(service)?.log ?? '';
  }

  /** What the other peers have logged. */
  get otherLogs(): readonly string[] {
    return this.#others.map(({ log }) => log);
  }

  /** At another peer, unlocked. */
  async clientOfOther(): Promise<ControlClient> {
    const client = new ControlClient(this.#otherHomes[0] ?? '', { signal: new AbortController().signal });
    await client.unlock('demo', PASSPHRASE);
    return client;
  }

  async start(service: Service, ...words: readonly string[]): Promise<void> {
    this.#services.set(service, await this.another(service, words));
  }

  /** A process for a service, whether or not one runs. */
  another(service: Service, words: readonly string[] = []): Promise<ServeProcess> {
    const environment = this.#environment;
    return ServeProcess.start({ home: this.#home, service, separate: SERVICES, words, environment });
  }

  /** A file for `--unlock-file`. */
  async unlockFile(): Promise<string> {
    const path = join(this.#folder, 'user');
    await writeFile(path, `demo:${PASSPHRASE}\n`, { mode: 0o600 });
    return path;
  }

  async end(service: Service, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    await this.#services.get(service)?.end(signal);
    this.#services.delete(service);
  }

  async unlock(): Promise<void> {
    await this.client.unlock('demo', PASSPHRASE);
  }

  async put(path: string, bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<void> {
    await this.client.upload(path, bytes instanceof Uint8Array ? parts(bytes) : bytes);
  }

  async read(path: string): Promise<Buffer> {
    const found: Uint8Array[] = [];
    for await (const part of this.client.download(path)) found.push(part);
    return Buffer.concat(found);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    const running = [...this.#services.entries()];
    if (process.env['SHOAL_TEST_LOGS'] !== undefined) {
      for (const [service, { log }] of running) process.stderr.write(`--- ${service}\n${log}\n`);
    }
    await Promise.all([...running.map(([, each]) => each), ...this.#others].map((each) => each.end()));
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #startOther(home: string): Promise<void> {
    this.#others.push(await ServeProcess.start({ home, separate: [], environment: this.#environment }));
  }
}

async function* parts(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20));
}
