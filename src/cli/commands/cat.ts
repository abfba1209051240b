import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { ByteRange } from '../control-client.js';
import { Invocation } from '../invocation.js';
import { writeOut } from '../output.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';

interface CatOptions {
  readonly version?: string;
  readonly offset?: number;
  readonly length?: number;
}

export function defineCat(command: Command, runtime: Runtime): void {
  command
    .argument('<paths...>', 'remote files')
    .option('--version <id>', 'an earlier version (see `shoal versions`)')
    .option('--offset <bytes>', 'begin here', parseCount)
    .option('--length <bytes>', 'end after so many bytes', parseCount)
    .addHelpText(
      'after',
      '\nExamples:\n  shoal cat /notes.txt\n  shoal cat /disk.img --offset 1048576 --length 512 | hexdump -C\n',
    )
    .action(async (texts: string[], options: CatOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const paths = texts.map((text) => parseRemotePath(text).path);
      const range = rangeOf(options);
      for (const path of paths) {
        if (range?.length === 0) await invocation.client.stat(path);
        else await writeOut(invocation.client.download(path, { version: options.version, range }), runtime);
      }
    });
}

function rangeOf({ offset, length }: CatOptions): ByteRange | undefined {
  if (offset === undefined && length === undefined) return undefined;
  return { offset: offset ?? 0, ...(length === undefined ? {} : { length }) };
}

function parseCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is not a number of bytes: write it in digits, as in 1048576.`);
}
