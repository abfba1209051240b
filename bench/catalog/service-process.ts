import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MAIN, NODE_FLAGS } from '../../src/cli/devnet/peer-process.js';
import type { Service } from '../../src/config.js';
import { StorageError } from '../../src/errors.js';
import { cpuSeconds } from '../measure/processes.js';

/** A process starts in a second on an idle core. */
const START_TIMEOUT_MS = 60_000;
const POLL_MS = 20;

export interface ServiceRequest {
  readonly home: string;
  /** That service alone; absent: the whole peer. */
  readonly service?: Service;
  /** Services that processes of their own run. */
  readonly separate?: readonly Service[];
  readonly signal: AbortSignal;
}

/** One process of `shoal serve`, under the flags of bin/shoal. */
export class ServiceProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #child: ChildProcess;
  readonly #log: string;
  /** What it had used when it ended. */
  #cpuSeconds = 0;

  private constructor(child: ChildProcess, log: string) {
    this.#child = child;
    this.#log = log;
    this.pid = child.pid ?? 0;
    // Whatever ends this process, its services do not outlive it.
    const kill = (): void => {
      child.kill('SIGKILL');
    };
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
  }

  /** @param isUp asked again and again until it says so, or the process ends @throws StorageError UNAVAILABLE */
  static async start(request: ServiceRequest, isUp: () => Promise<boolean>): Promise<ServiceProcess> {
    const { home, service, separate, signal } = request;
    const log = join(home, `${service ?? 'peer'}.log`);
    const file = openSync(log, 'a', 0o600);
    const words = ['serve', ...(service === undefined ? [] : [service]), '--home', home];
    const env = { ...process.env, SHOAL_SEPARATE: separate?.join(',') };
    const started = new ServiceProcess(
      spawn(process.execPath, [...NODE_FLAGS, MAIN, ...words], { stdio: ['ignore', file, file], env }),
      log,
    );
    closeSync(file);
    try {
      await started.#ready(isUp, signal);
      return started;
    } catch (error) {
      await started.close();
      throw error;
    }
  }

  /** So far. */
  cpuSeconds(): number {
    if (this.#isRunning()) this.#cpuSeconds = Math.max(this.#cpuSeconds, cpuSeconds(this.pid).own);
    return this.#cpuSeconds;
  }

  /** Whether it, or one before it in the same home, has said so in its log. */
  async hasLogged(message: string): Promise<boolean> {
    return (await readFile(this.#log, 'utf8')).includes(JSON.stringify(message));
  }

  /** Resolves when it is gone; what it has under way ends first. */
  async close(): Promise<void> {
    if (!this.#isRunning()) return;
    this.cpuSeconds();
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #ready(isUp: () => Promise<boolean>, signal: AbortSignal): Promise<void> {
    for (const deadline = performance.now() + START_TIMEOUT_MS; performance.now() < deadline;) {
      signal.throwIfAborted();
      if (!this.#isRunning()) break;
      if (await answers(isUp)) return;
      await sleep(POLL_MS);
    }
    throw new StorageError('UNAVAILABLE', `A service of the benchmark did not start: see ${this.#log}.`);
  }
}

async function answers(isUp: () => Promise<boolean>): Promise<boolean> {
  try {
    return await isUp();
  } catch (error) {
    // The socket, or the secret that lets in, is not there yet.
    if (StorageError.is(error, 'UNAVAILABLE') || StorageError.is(error, 'NOT_FOUND')) return false;
    throw error;
  }
}
