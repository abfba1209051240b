import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import { StorageError, wrapError } from '../../src/errors.js';
import { childrenOf, cpuSeconds } from '../measure/processes.js';
import { clientConfig, knownHost, serverConfig } from './ssh-config.js';
import { findProgram } from './programs.js';

/** sshd run by root refuses to work without it; the package's service makes it at every start of the machine. */
const PRIVILEGE_FOLDER = '/run/sshd';
const START_TIMEOUT_MS = 10_000;
const SESSION_END_TIMEOUT_MS = 10_000;
const POLL_MS = 20;
const KEPT_CHARACTERS = 2_000;

/** An OpenSSH server of our own on loopback, with keys made for this run: this user may log in, with one key. */
export class SshServer implements AsyncDisposable {
  /** For `ssh -F`; the host is called "bench". */
  readonly clientConfig: string;
  readonly #server: ChildProcess;
  readonly #madeFolder: boolean;
  #log = '';

  private constructor(server: ChildProcess, config: string, madeFolder: boolean) {
    this.#server = server;
    this.clientConfig = config;
    this.#madeFolder = madeFolder;
    process.once('exit', () => this.#server.kill('SIGKILL'));
    server.once('error', (error) => {
      this.#log = error.message;
    });
    server.stderr?.on('data', (part: Buffer) => {
      this.#log = (this.#log + part.toString()).slice(-KEPT_CHARACTERS);
    });
  }

  /** @param folder a new one for keys and settings */
  static async open(folder: string, signal: AbortSignal): Promise<SshServer> {
    const [port = 0] = await chooseFreePorts(1);
    mkdirSync(folder, { mode: 0o700 });
    const config = writeConfigs(folder, port);
    const madeFolder = userInfo().uid === 0 && makeIfMissing(PRIVILEGE_FOLDER);
    const sshd = findProgram('sshd') ?? 'sshd'; // it runs itself again for each session, and demands an absolute path
    const child = spawn(sshd, ['-D', '-e', '-f', config.server], { stdio: ['ignore', 'ignore', 'pipe'] });
    const server = new SshServer(child, config.client, madeFolder);
    try {
      await server.#ready(port, signal);
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** CPU seconds so far, all sessions that have ended included. */
  cpuSeconds(): number {
    const { own, reaped } = cpuSeconds(this.#server.pid ?? 0);
    return own + reaped;
  }

  /** Until every session has ended and its time has been charged to the server. */
  async sessionsEnded(): Promise<void> {
    for (const deadline = performance.now() + SESSION_END_TIMEOUT_MS; performance.now() < deadline;) {
      if (childrenOf(this.#server.pid ?? 0).length === 0) return;
      await sleep(POLL_MS);
    }
    throw new StorageError('TIMEOUT', 'A session of sshd does not end.');
  }

  async close(): Promise<void> {
    if (this.#server.pid !== undefined && this.#server.exitCode === null && this.#server.signalCode === null) {
      const exited = once(this.#server, 'exit');
      this.#server.kill('SIGKILL');
      await exited;
    }
    if (this.#madeFolder) removeIfEmpty(PRIVILEGE_FOLDER);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #ready(port: number, signal: AbortSignal): Promise<void> {
    for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline;) {
      signal.throwIfAborted();
      if (this.#server.exitCode !== null || this.#server.pid === undefined) break;
      if (await answers(port)) return this.sessionsEnded();
      await sleep(POLL_MS);
    }
    throw new StorageError('UNAVAILABLE', `sshd does not start: ${this.#log.trim().replaceAll('\n', ' ')}`);
  }
}

function writeConfigs(folder: string, port: number): { readonly server: string; readonly client: string } {
  const path = (name: string): string => join(folder, name);
  const places = {
    port,
    user: userInfo().username,
    hostKey: path('host-key'),
    userKey: path('user-key'),
    authorizedKeys: path('user-key.pub'),
    knownHosts: path('known-hosts'),
  };
  for (const key of [places.hostKey, places.userKey]) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', key], { stdio: 'ignore' });
  }
  writeFileSync(places.knownHosts, knownHost(port, readFileSync(`${places.hostKey}.pub`, 'utf8')));
  writeFileSync(path('sshd-config'), serverConfig(places));
  writeFileSync(path('ssh-config'), clientConfig(places));
  return { server: path('sshd-config'), client: path('ssh-config') };
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false; // not yet
  } finally {
    socket.destroy();
  }
}

function makeIfMissing(folder: string): boolean {
  if (existsSync(folder)) return false;
  try {
    mkdirSync(folder, { mode: 0o755 });
    return true;
  } catch (error) {
    throw wrapError(error, `Making ${folder}, which sshd needs`);
  }
}

/** Another sshd may have come to use it. */
function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (wrapError(error, folder).code !== 'NOT_FOUND') throw wrapError(error, `Removing ${folder}`);
  }
}
