/** `shoal serve` in a home of its own, as somebody starts it who has just installed Shoal. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { MAIN } from '../../src/cli/devnet/peer-process.js';
import { chooseFreePorts } from '../../src/cli/devnet/ports.js';
import { PATIENCE_MS } from './stage.js';

export interface FreshPeerOptions {
  /** Its home is in there. */
  readonly folder: string;
  readonly name: string;
  /** Without one, it has to be a peer already. */
  readonly web?: boolean;
}

export class FreshPeer implements AsyncDisposable {
  readonly home: string;
  /** Where other peers reach it. */
  readonly address: string;
  /** Of its web UI. */
  readonly web: string;
  readonly #options: FreshPeerOptions;
  #process: ChildProcess | undefined;

  private constructor(options: FreshPeerOptions, ports: readonly number[]) {
    const [port, webPort] = ports;
    this.home = join(options.folder, options.name);
    this.address = `127.0.0.1:${String(port)}`;
    this.web = `127.0.0.1:${String(webPort)}`;
    this.#options = options;
  }

  static async open(options: FreshPeerOptions): Promise<FreshPeer> {
    return new FreshPeer(options, await chooseFreePorts(2));
  }

  /** @returns the link that it prints, where its home is empty; otherwise when it is up */
  async start(): Promise<string> {
    const web = this.#options.web === false ? 'off' : this.web;
    const env = { ...process.env, SHOAL_WEB: web, SHOAL_SFTP: 'off', SHOAL_LOG: 'info' };
    const child = spawn(process.execPath, [MAIN, 'serve', '--home', this.home], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    return await said(child, /http:\/\/\S+#link=\S+|"msg":"peer is up"/);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#process;
    if (child?.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }
}

/** The first of what a process says that fits. */
async function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  let text = '';
  return await new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`It has not said ${String(pattern)}: ${text}`)), PATIENCE_MS);
    const hear = (part: Buffer): void => {
      text += part.toString();
      const found = pattern.exec(text)?.[0];
      if (found === undefined) return;
      clearTimeout(late);
      resolve(found);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', (code) => {
      clearTimeout(late);
      reject(new Error(`It ended with ${String(code)}: ${text}`));
    });
  });
}
