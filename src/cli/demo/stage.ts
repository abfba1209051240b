import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wrapError } from '../../errors.js';
import { Devnet } from '../devnet/devnet.js';
import { createLayout, DEFAULT_PEERS } from '../devnet/layout.js';
import type { Runtime } from '../runtime.js';

/** The folder of one demonstration and the network in it. Closing it ends the peers, and removes a temporary folder. */
export class Stage implements AsyncDisposable {
  readonly folder: string;
  readonly #temporary: boolean;
  #devnet: Devnet | undefined;

  private constructor(folder: string, temporary: boolean) {
    this.folder = folder;
    this.#temporary = temporary;
  }

  /** @param directory a new or empty folder to keep; a temporary one without it */
  static async open(directory: string | undefined): Promise<Stage> {
    if (directory === undefined) return new Stage(await mkdtemp(join(tmpdir(), 'shoal-demo-')), true);
    try {
      await mkdir(directory, { recursive: true });
    } catch (error) {
      throw wrapError(error, `Making ${directory}`);
    }
    return new Stage(directory, false);
  }

  /** Makes the network and starts its peers, each a process of its own. */
  async raise(runtime: Runtime): Promise<Devnet> {
    const { provisionDevnet } = await import('../../provision.js');
    const layout = await createLayout(join(this.folder, 'net'), { peers: DEFAULT_PEERS }, provisionDevnet);
    const devnet = new Devnet(layout, runtime);
    this.#devnet = devnet;
    await devnet.up();
    return devnet;
  }

  async close(): Promise<void> {
    await this.#devnet?.down({ kill: this.#temporary }); // what is removed next needs no orderly end
    if (this.#temporary) await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
