import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { StorageError } from '../errors.js';
import { CLOSE_GRACE_MS, NGINX_START_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { parseAddress } from './address.js';

/** In the folder of nginx. */
export const PID_FILE = 'nginx.pid';

export interface NginxCommand {
  /** The program. */
  readonly path: string;
  readonly folder: string;
  readonly config: string;
  /** Where it will listen. */
  readonly address: string;
  readonly logger: Logger;
}

/** From one look whether it listens to the next. */
const START_POLL_MS = 20;

function wordsOf({ folder, config }: NginxCommand): readonly string[] {
  return ['-e', 'stderr', '-p', folder, '-c', config];
}

/** One run of nginx: its master in the foreground, its workers below it. */
export class NginxProcess {
  /** How it ended. */
  readonly ended: Promise<string>;
  readonly #master: ChildProcess;

  private constructor(master: ChildProcess) {
    this.#master = master;
    this.ended = new Promise((resolve) => {
      master.once('error', (error) => resolve(error.message));
      master.once('exit', (code, signal) => {
        if (master.pid !== undefined) endGroup(master.pid);
        resolve(signal ?? `exit code ${String(code)}`);
      });
    });
  }

  /** Has nginx read the configuration, and the certificate. @throws StorageError INVALID_ARGUMENT with its words */
  static async check(command: NginxCommand): Promise<void> {
    const failure = await new Promise<string | undefined>((resolve) => {
      execFile(command.path, [...wordsOf(command), '-q', '-t'], (error, _stdout, stderr) => {
        resolve(error === null ? undefined : stderr);
      });
    });
    if (failure === undefined) return;
    throw new StorageError('INVALID_ARGUMENT', `nginx does not take ${command.config}: ${reasonOf(failure)}`);
  }

  /** Resolves when it listens. @throws StorageError UNAVAILABLE */
  static async start(command: NginxCommand): Promise<NginxProcess> {
    const { path, logger } = command;
    // A process group of its own: workers outlive a master that is killed, and are found by it. A terminal's Ctrl-C is ours.
    const master = spawn(path, [...wordsOf(command), '-g', 'daemon off;'], {
      cwd: command.folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    });
    const said: string[] = [];
    createInterface({ input: master.stderr }).on('line', (line) => {
      if (said.length < 16) said.push(line);
      logger.info({ nginx: line }, 'nginx says');
    });
    const running = new NginxProcess(master);
    const state: { ended?: string } = {};
    void running.ended.then((how) => (state.ended = how));
    const until = Date.now() + NGINX_START_MS;
    while (!(await isUp(command, master.pid))) {
      if (state.ended !== undefined) {
        throw new StorageError('UNAVAILABLE', `nginx ended (${state.ended}): ${reasonOf(said.join('\n'))}`);
      }
      if (Date.now() > until) {
        await running.stop();
        throw new StorageError(
          'UNAVAILABLE',
          `nginx does not listen on ${command.address}: ${reasonOf(said.join('\n'))}`,
        );
      }
      await delay(START_POLL_MS);
    }
    return running;
  }

  /** New workers with the configuration and certificate of now; the old ones end when their streams have. */
  reload(): void {
    this.#master.kill('SIGHUP');
  }

  /** Streams get CLOSE_GRACE_MS to end. */
  async stop(): Promise<void> {
    if (this.#master.exitCode !== null || this.#master.signalCode !== null || this.#master.pid === undefined) return;
    const exit = once(this.#master, 'exit');
    this.#master.kill('SIGQUIT');
    const timer = setTimeout(() => this.#master.kill('SIGTERM'), CLOSE_GRACE_MS);
    await exit;
    clearTimeout(timer);
  }
}

/** Ends what is left of a process group. */
function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGTERM');
  } catch {
    // Nothing is left of it.
  }
}

/** The last of its lines that names an error, without the time. */
function reasonOf(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  const last =
    lines.findLast((line) => /\[(?:emerg|alert|crit|error)\]/.test(line)) ?? lines.at(-1) ?? 'it says nothing.';
  return last.replace(/^.*\[\w+\]\s*(?:\d+#\d+:\s*)?/, '');
}

/**
 * A port that answers may be another program's, while nginx still tries to get it: it writes down its number only when it has it.
 */
async function isUp({ folder, address }: NginxCommand, pid: number | undefined): Promise<boolean> {
  const text = await readFile(join(folder, PID_FILE), 'utf8').catch(() => '');
  return text.trim() === String(pid) && (await listens(address));
}

async function listens(address: string): Promise<boolean> {
  const { host, port } = parseAddress(address);
  const everywhere = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const probe = connect(port, everywhere);
  try {
    await once(probe, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    probe.destroy();
  }
}
