import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, wrapError } from '../errors.js';
import { NGINX_RESTART_MAX_MS, NGINX_RESTART_MIN_MS, NGINX_STABLE_MS } from '../limits.js';
import { checkAddress, parseAddress } from './address.js';
import type { Front, FrontOptions } from './front.js';
import { writeGenerated } from './generated-file.js';
import { nginxConfig, type NginxSettings } from './nginx-config.js';
import { NginxProcess, type NginxCommand } from './nginx-process.js';
import { findNginx } from './nginx-program.js';
import { stopOrphan } from './nginx-orphan.js';

export interface NginxFrontOptions extends FrontOptions {
  /** For nginx's own files: configuration, pid, temporary folders. */
  readonly folder: string;
  readonly files: Pick<NginxSettings, 'key' | 'certificate' | 'authority'>;
  /** The program; absent: wherever it is installed. */
  readonly nginx?: string;
}

/** Runs the real nginx as the front: writes its configuration, starts it again when it ends, ends it when asked. */
export class NginxFront implements Front {
  readonly port: number;
  readonly #options: NginxFrontOptions;
  readonly #command: NginxCommand;
  #process: NginxProcess;
  #startedMs = Date.now();
  #waitMs = NGINX_RESTART_MIN_MS;
  #restart: NodeJS.Timeout | undefined;
  #closed: Promise<void> | undefined;

  private constructor(options: NginxFrontOptions, command: NginxCommand, running: NginxProcess) {
    this.port = parseAddress(options.address).port;
    this.#options = options;
    this.#command = command;
    this.#process = running;
    this.#follow(running);
  }

  /**
   * @throws StorageError NOT_FOUND or UNSUPPORTED for the nginx of this machine, CONFLICT for a configuration that was edited,
   * UNAVAILABLE when the port is taken, INVALID_ARGUMENT for what nginx does not take
   */
  static async open(options: NginxFrontOptions): Promise<NginxFront> {
    const { address, folder, logger } = options;
    if (parseAddress(address).port === 0) {
      throw new StorageError('INVALID_ARGUMENT', 'nginx needs a port of its own: give one with --listen HOST:PORT.');
    }
    const { path, version } = await findNginx(options.nginx);
    const config = join(folder, 'nginx.conf');
    await makeFolder(folder);
    await writeGenerated(config, nginxConfig({ ...settingsOf(options), version }));
    await stopOrphan(folder, logger);
    await checkAddress(address);
    const command: NginxCommand = { path, folder, config, address, logger };
    await NginxProcess.check(command);
    return new NginxFront(options, command, await NginxProcess.start(command));
  }

  async renew(): Promise<void> {
    await NginxProcess.check(this.#command);
    this.#process.reload();
  }

  /** Restarts after nginx has ended by itself, sooner when it had run for long. */
  #follow(running: NginxProcess): void {
    this.#startedMs = Date.now();
    void running.ended.then((how) => {
      if (this.#closed !== undefined) return;
      if (Date.now() - this.#startedMs >= NGINX_STABLE_MS) this.#waitMs = NGINX_RESTART_MIN_MS;
      this.#options.logger.error({ how, waitMs: this.#waitMs }, 'nginx has ended; it is started again');
      this.#again();
    });
  }

  #again(): void {
    this.#restart = setTimeout(() => {
      this.#startAgain().catch((error: unknown) => {
        this.#options.logger.error({ err: error }, 'nginx could not be started; it will be tried again');
        if (this.#closed === undefined) this.#again();
      });
    }, this.#waitMs);
    this.#waitMs = Math.min(2 * this.#waitMs, NGINX_RESTART_MAX_MS);
  }

  async #startAgain(): Promise<void> {
    // Workers of a master that was killed hold the port until they are done.
    await stopOrphan(this.#options.folder, this.#options.logger);
    const running = await NginxProcess.start(this.#command);
    if (this.#closed !== undefined) {
      await running.stop();
      return;
    }
    this.#process = running;
    this.#follow(running);
    this.#options.logger.info('nginx is up again');
  }

  /** Streams get CLOSE_GRACE_MS to end. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    clearTimeout(this.#restart);
    await this.#process.stop();
  }
}

/** What the configuration is made of, but for the version of nginx. */
export function settingsOf(options: Omit<NginxFrontOptions, 'tls' | 'logger'>): Omit<NginxSettings, 'version'> {
  const { address, files, socketOf, couch, folder } = options;
  // Workers of a master that is root would be nobody, who may not enter the home.
  const user = process.getuid?.() === 0 ? { user: 'root' } : {};
  return { address, ...files, socketOf, couch, folder, ...user };
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw wrapError(error, `Making ${folder}`);
  }
}
