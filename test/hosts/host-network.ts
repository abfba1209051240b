import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ServeProcess, type ServeRequest } from '../sync/processes.js';
import { eventually } from '../sync/sync-network.js';
import { Lab, type LabHost } from './lab.js';

const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
const PORT = 8485;
const PASSPHRASE = 'hosts of their own';
const COMMAND_PATIENCE_MS = 60_000;

/** Only what is written here: a setting of the developer's shell must not reach the peers. */
const ENVIRONMENT = {
  PATH: process.env['PATH'],
  TMPDIR: process.env['TMPDIR'],
  SHOAL_RESERVE_BYTES: '0',
  SHOAL_WEB: 'off',
  SHOAL_SFTP: 'off',
};

export interface HostPeer {
  readonly host: LabHost;
  readonly home: string;
}

export interface HostNetworkOptions {
  readonly peers: number;
  /** Of host n, from 1, with the length of the prefix. */
  readonly addresses: (n: number) => string;
  /** Peers that may be lost; absent: as many as the network takes by default. */
  readonly tolerate?: number;
}

/** A network made as its users make one: the first peer creates it, the others join by invitation, each on a host of its own. */
export class HostNetwork implements AsyncDisposable {
  readonly lab: Lab;
  readonly folder: string;
  readonly peers: HostPeer[] = [];
  readonly #running = new Map<string, ServeProcess>();

  readonly #tolerate: number | undefined;

  private constructor(lab: Lab, folder: string, tolerate: number | undefined) {
    this.lab = lab;
    this.folder = folder;
    this.#tolerate = tolerate;
  }

  static async open({ peers, addresses, tolerate }: HostNetworkOptions): Promise<HostNetwork> {
    const network = new HostNetwork(new Lab(), await mkdtemp(join(tmpdir(), 'shoal-hosts-')), tolerate);
    try {
      await writeFile(join(network.folder, 'passphrase'), `${PASSPHRASE}\n`, { mode: 0o600 });
      for (let n = 1; n <= peers; n++) {
        const host = await network.lab.add(`h${String(n)}`, [addresses(n)]);
        network.peers.push({ host, home: join(network.folder, `peer-${String(n)}`) });
        await network.#enter(n);
        await network.serve(n);
      }
      return network;
    } catch (error) {
      await network[Symbol.asyncDispose]();
      throw error;
    }
  }

  peer(n: number): HostPeer {
    const peer = this.peers[n - 1];
    if (peer === undefined) throw new Error(`there is no peer ${String(n)}`);
    return peer;
  }

  /** What others connect to. */
  address(n: number): string {
    const [address = ''] = this.peer(n).host.addresses;
    return `${address.includes(':') ? `[${address}]` : address}:${String(PORT)}`;
  }

  /** A command of `shoal` on the host of a peer. @returns what it says */
  async shoal(n: number, ...words: readonly string[]): Promise<string> {
    const { host, home } = this.peer(n);
    const { command, words: all } = this.lab.within(host, process.execPath, [MAIN, ...words, '--home', home]);
    const { stdout } = await run(command, all, { env: ENVIRONMENT, timeout: COMMAND_PATIENCE_MS });
    return stdout;
  }

  /** Tries until the command succeeds: what was done at one peer takes a moment to be known at another. */
  async shoalSoon(n: number, ...words: readonly string[]): Promise<string> {
    let said = '';
    await eventually(async () => {
      said = await this.shoal(n, ...words);
    });
    return said;
  }

  async unlock(n: number): Promise<void> {
    await this.shoalSoon(n, 'unlock', 'alice', '--passphrase-file', join(this.folder, 'passphrase'));
  }

  /** Returns when the peer says that it is up. */
  async serve(n: number): Promise<void> {
    const { host, home } = this.peer(n);
    const within: ServeRequest['within'] = (command, words) => this.lab.within(host, command, words);
    this.#running.set(host.name, await ServeProcess.start({ home, separate: [], workers: 1, within }));
  }

  async stop(n: number): Promise<void> {
    const { name } = this.peer(n).host;
    const running = this.#running.get(name);
    this.#running.delete(name);
    await running?.end('SIGTERM');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (process.env['SHOAL_TEST_LOGS'] !== undefined) {
      for (const [name, { log }] of this.#running) process.stderr.write(`--- ${name}\n${log}\n`);
    }
    await Promise.all(this.peers.map((_, index) => this.stop(index + 1)));
    await this.lab[Symbol.asyncDispose]();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Creates the network, or joins it. Two of its peers are backup hosts. */
  async #enter(n: number): Promise<void> {
    const name = `peer-${String(n)}`;
    const listen = this.address(n);
    if (n === 1) {
      const user = ['--user', 'alice', '--passphrase-file', join(this.folder, 'passphrase')];
      const terms = ['--name', 'lab', ...(this.#tolerate === undefined ? [] : ['--tolerate', String(this.#tolerate)])];
      await this.shoal(1, 'network', 'create', ...terms, '--peer-name', name, '--listen', listen, ...user);
      return;
    }
    const token = /shoal1-\S+/.exec(await this.shoal(1, 'peer', 'invite', '--no-qr'))?.[0] ?? '';
    await writeFile(join(this.folder, 'token'), token, { mode: 0o600 });
    const file = ['--token-file', join(this.folder, 'token')];
    await this.shoal(n, 'peer', 'join', ...file, '--name', name, '--listen', listen, ...(n === 2 ? ['--backup'] : []));
  }
}
