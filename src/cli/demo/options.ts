import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { StorageError } from '../../errors.js';

export interface DemoOptions {
  /** Stored instead of a generated file. */
  readonly file?: string;
  /** Used instead of a temporary folder, and kept. */
  readonly directory?: string;
  /** Ends after the comparison instead of staying up. */
  readonly once: boolean;
}

export const DEMO_HELP = `npm start -- [--file PATH] [--dir DIR] [--once]

  --file PATH  store this file instead of a generated one
  --dir DIR    work in this new or empty folder, and keep it
  --once       end after the comparison: exit code 0 when every byte came back
`;

/** @returns undefined when only help was asked for */
export function parseDemoOptions(words: readonly string[]): DemoOptions | undefined {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        file: { type: 'string' },
        dir: { type: 'string' },
        once: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return undefined;
    if (values.file !== undefined && !existsSync(values.file)) {
      throw new StorageError('NOT_FOUND', `There is no file ${values.file}.`);
    }
    return {
      once: values.once,
      ...(values.file === undefined ? {} : { file: resolve(values.file) }),
      ...(values.dir === undefined ? {} : { directory: resolve(values.dir) }),
    };
  } catch (error) {
    if (error instanceof StorageError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new StorageError('INVALID_ARGUMENT', `${message} See npm start -- --help.`, { cause: error });
  }
}
