import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import { provisionDevnet } from '../../src/provision.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const PASSPHRASE = 'a passphrase for tests';
/** Only what is written here: a setting of the developer's shell must not reach the peers. */
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  TMPDIR: process.env['TMPDIR'],
  SHOAL_WORKERS: '1',
  SHOAL_RESERVE_BYTES: '0',
  SHOAL_LOG: 'info',
  SHOAL_WEB: 'off',
  SHOAL_SFTP: 'off',
  SHOAL_DRAIN_SECONDS: '0',
};

type Child = ChildProcessByStdio<null, null, Readable>;

/** Peers as `shoal serve` runs them, each a process. Peer 1 has the user unlocked. */
export class PeerProcesses implements AsyncDisposable {
  readonly #folder: string;
  readonly #homes: readonly string[];
  readonly #children = new Map<number, Child>();

  private constructor(folder: string, homes: readonly string[]) {
    this.#folder = folder;
    this.#homes = homes;
  }

  static async open(count: number): Promise<PeerProcesses> {
    const folder = await mkdtemp(join(tmpdir(), 'shoal-peer-crash-'));
    const ports = await chooseFreePorts(count);
    const { peers } = await provisionDevnet({
      dir: folder,
      peers: ports.map((port, i) => ({ n: i + 1, port, zone: `zone-${String(i)}`, name: `peer-${String(i + 1)}` })),
      passphrase: PASSPHRASE,
    });
    await writeFile(join(folder, 'user'), `demo:${PASSPHRASE}`, { mode: 0o600 });
    const processes = new PeerProcesses(
      folder,
      peers.map(({ home }) => home),
    );
    await Promise.all(peers.map(({ n }) => processes.start(n)));
    return processes;
  }

  home(n: number): string {
    return this.#homes[n - 1] ?? '';
  }

  /** Returns when the peer says that it is up. */
  async start(n: number): Promise<void> {
    const unlock = n === 1 ? ['--unlock-file', join(this.#folder, 'user')] : [];
    const child = spawn(process.execPath, [MAIN, 'serve', '--home', this.home(n), ...unlock], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: ENVIRONMENT,
    });
    this.#children.set(n, child);
    let said = '';
    child.stderr.setEncoding('utf8');
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', (text: string) => {
        said = (said + text).slice(-10_000);
        if (said.includes('peer is up')) resolve();
      });
      child.once('close', () => {
        reject(new Error(`peer ${String(n)} ended before it was up: ${said}`));
      });
    });
  }

  /** kill -9; resolves when it is gone. */
  kill(n: number): Promise<void> {
    return this.#end(n, 'SIGKILL');
  }

  /** As a service manager ends it that leaves transfers no time; resolves when it is gone. */
  terminate(n: number): Promise<void> {
    return this.#end(n, 'SIGTERM');
  }

  async #end(n: number, signal: NodeJS.Signals): Promise<void> {
    const child = this.#children.get(n);
    this.#children.delete(n);
    if (child?.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#children.keys()].map((n) => this.kill(n)));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
