import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Service } from '../../src/config.js';

const MAIN = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));

export interface ServeRequest {
  readonly home: string;
  /** That service alone; absent: the peer. */
  readonly service?: Service;
  /** Which services processes of their own run. */
  readonly separate: readonly Service[];
  /** Further words of the command. */
  readonly words?: readonly string[];
  /** Threads that move stripes; default none. */
  readonly workers?: number;
  /** Beside what every process here gets, or in its place. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Makes of a command line the one that runs it on another host. */
  readonly within?: (
    command: string,
    words: readonly string[],
  ) => { readonly command: string; readonly words: string[] };
}

/** One process of `shoal serve`. */
export class ServeProcess {
  readonly pid: number;
  readonly #child: ChildProcessByStdio<null, null, Readable>;
  readonly #closed: Promise<unknown>;
  #said = '';

  private constructor(child: ChildProcessByStdio<null, null, Readable>) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    this.#closed = once(child, 'close');
    child.stderr.setEncoding('utf8');
    child.stderr.on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-200_000);
    });
  }

  /** Returns when it says that it is up. */
  static async start(request: ServeRequest): Promise<ServeProcess> {
    const { home, service, separate, words: more = [], workers = 0, within, environment } = request;
    const words = ['serve', ...(service === undefined ? [] : [service]), ...more, '--home', home];
    const here = { command: process.execPath, words: [MAIN, ...words] };
    const { command, words: line } = within?.(here.command, here.words) ?? here;
    const child = spawn(command, line, {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Only what is written here: a setting of the developer's shell must not reach the peers.
      env: {
        PATH: process.env['PATH'],
        TMPDIR: process.env['TMPDIR'],
        SHOAL_WORKERS: String(workers),
        SHOAL_RESERVE_BYTES: '0',
        SHOAL_LOG: 'info',
        SHOAL_WEB: 'off',
        SHOAL_SFTP: 'off',
        SHOAL_SEPARATE: separate.join(','),
        ...environment,
      },
    });
    const started = new ServeProcess(child);
    await new Promise<void>((resolve, reject) => {
      child.stderr.on('data', () => {
        if (started.#said.includes('is up"')) resolve();
      });
      child.once('close', () => {
        reject(new Error(`${words.join(' ')} ended before it was up: ${started.#said}`));
      });
    });
    return started;
  }

  /** What it has logged, the end of it. */
  get log(): string {
    return this.#said;
  }

  /** Resolves when it is gone. */
  async end(signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(signal);
    await this.#closed;
  }
}
