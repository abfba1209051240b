import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { RemoveReply } from '../../gateways/http/api.js';
import { Invocation } from '../invocation.js';
import { pendingLines } from '../pending-lines.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';

interface RmOptions {
  readonly recursive?: true;
  readonly force?: true;
  readonly forever?: true;
}

export function defineRm(command: Command, runtime: Runtime): void {
  command
    .argument('<paths...>', 'remote files and folders')
    .option('-r, --recursive', 'folders with everything in them')
    .option('-f, --force', 'what is not there is fine')
    .option('--forever', 'not into the trash, and also from there')
    .addHelpText(
      'after',
      `
What is removed lies in the trash, and takes up room, until "shoal trash empty": see it with "shoal ls --deleted", take it
back with "shoal restore".

Examples:
  shoal rm /photos/cat.jpg
  shoal rm -r --forever /photos
`,
    )
    .action(async (texts: string[], options: RmOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const paths = texts.map((text) => parseRemotePath(text).path);
      let files = 0;
      let pendingChunks = 0;
      let pendingHomes = 0;
      for (const path of paths) {
        const removed = await remove(invocation, path, options);
        files += removed.files;
        pendingChunks += removed.pendingChunks;
        pendingHomes = Math.max(pendingHomes, removed.pendingHomes);
      }
      const removed = { files, pendingChunks, pendingHomes };
      for (const line of pendingLines(removed)) invocation.note(line);
      invocation.result(removed, () => '');
    });
}

async function remove({ client }: Invocation, path: string, options: RmOptions): Promise<RemoveReply> {
  try {
    return await client.remove(path, { recursive: options.recursive === true, forever: options.forever === true });
  } catch (error) {
    if (options.force === true && StorageError.is(error, 'NOT_FOUND'))
      return { files: 0, pendingChunks: 0, pendingHomes: 0 };
    throw error;
  }
}
