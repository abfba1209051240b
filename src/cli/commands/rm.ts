import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { RemoveReply } from '../../gateways/http/api.js';
import { Invocation } from '../invocation.js';
import { NOTHING_REMOVED, pendingLines, together } from '../pending-lines.js';
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
back with "shoal restore". With --forever its chunks are deleted, and each peer that has acknowledged that is named; the sealed
entry with the key of the file goes with "shoal user keys rotate".

Examples:
  shoal rm /photos/cat.jpg
  shoal rm -r --forever /photos
`,
    )
    .action(async (texts: string[], options: RmOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const paths = texts.map((text) => parseRemotePath(text).path);
      let removed = NOTHING_REMOVED;
      for (const path of paths) {
        const more = await remove(invocation, path, options);
        if (more !== undefined) removed = together(removed, more);
      }
      for (const line of pendingLines(removed)) invocation.note(line);
      invocation.result(removed, () => '');
    });
}

/** Undefined where nothing is, and that is fine. */
async function remove({ client }: Invocation, path: string, options: RmOptions): Promise<RemoveReply | undefined> {
  try {
    return await client.remove(path, { recursive: options.recursive === true, forever: options.forever === true });
  } catch (error) {
    if (options.force === true && StorageError.is(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}
