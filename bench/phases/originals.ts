import { hashFile, hashFolder } from '../../src/cli/demo/material.js';
import { makeBigFile, makeSmallFiles, SMALL_FILE_BYTES } from '../material.js';
import type { BenchOptions } from '../options.js';
import type { Workshop } from '../workshop.js';
import { differs, type Original } from './stage.js';

/** Some stripes for each worker: enough for code to be compiled and for peers to be connected. */
export const WARM_UP_BYTES = 128 * 2 ** 20;
/** Of the file that is repaired and scrubbed: a quarter of it is lost. */
export const HEALED_BYTES = 512 * 2 ** 20;

/** The files and the folder that every system stores, made when the first one asks. */
export class Originals {
  readonly #workshop: Workshop;
  readonly #options: BenchOptions;
  readonly #signal: AbortSignal;
  #big: Promise<Original> | undefined;
  #warmUp: Promise<Original> | undefined;
  #healed: Promise<Original> | undefined;
  #small: Promise<Original> | undefined;

  constructor(workshop: Workshop, options: BenchOptions, signal: AbortSignal) {
    this.#workshop = workshop;
    this.#options = options;
    this.#signal = signal;
  }

  bigFile(): Promise<Original> {
    this.#big ??= this.#makeFile('big.bin', this.#options.bytes);
    return this.#big;
  }

  warmUpFile(): Promise<Original> {
    this.#warmUp ??= this.#makeFile('warm-up.bin', Math.min(WARM_UP_BYTES, this.#options.bytes));
    return this.#warmUp;
  }

  healedFile(): Promise<Original> {
    this.#healed ??= this.#makeFile('healed.bin', Math.min(HEALED_BYTES, this.#options.bytes));
    return this.#healed;
  }

  smallFiles(): Promise<Original> {
    this.#small ??= this.#makeSmall();
    return this.#small;
  }

  async #makeFile(name: string, bytes: number): Promise<Original> {
    const path = this.#workshop.path(name);
    await makeBigFile(path, bytes, this.#signal);
    return this.#original(path, { files: 1, bytes }, hashFile);
  }

  async #makeSmall(): Promise<Original> {
    const path = this.#workshop.path('small');
    const { files } = this.#options;
    await makeSmallFiles(path, files, this.#signal);
    return this.#original(path, { files, bytes: files * SMALL_FILE_BYTES }, hashFolder);
  }

  async #original(
    path: string,
    size: Pick<Original, 'files' | 'bytes'>,
    hash: (path: string, signal: AbortSignal) => Promise<string>,
  ): Promise<Original> {
    const expected = await hash(path, this.#signal);
    const compare = async (copy: string): Promise<void> => {
      if ((await hash(copy, this.#signal)) !== expected) throw differs(copy);
    };
    return { path, ...size, compare };
  }
}
