import type { Command } from 'commander';
import type { DeletedReply, EntryReply } from '../../gateways/http/api.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { baseName, parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';
import { count, formatBytes, formatTime } from '../units.js';

export function defineLs(command: Command, runtime: Runtime): void {
  command
    .argument('[path]', 'a remote folder or file', '/')
    .option('-r, --recursive', 'everything below the folder')
    .option('--deleted', 'what was removed from there and can be restored')
    .addHelpText('after', '\nExamples:\n  shoal ls /photos\n  shoal ls -r / --json\n  shoal ls --deleted\n')
    .action(async (text: string, options: { recursive?: true; deleted?: true }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const { path } = parseRemotePath(text);
      if (options.deleted === true) {
        await listDeleted(invocation, path);
        return;
      }
      const recursive = options.recursive === true;
      const entries = await invocation.client.list(path, { recursive });
      invocation.result(entries.map(shape), () => entries.map((entry) => line(entry, recursive)).join('\n'));
    });
}

/** The contract with scripts; a daemon may send more. */
function shape({ path, type, bytes, modified, version }: EntryReply): EntryReply {
  return { path, type, bytes, modified, version };
}

async function listDeleted(invocation: Invocation, folder: string): Promise<void> {
  const all = await invocation.client.deleted();
  const entries = all.filter(({ path }) => folder === '/' || path === folder || path.startsWith(`${folder}/`));
  invocation.result(entries, () => entries.map(deletedLine).join('\n'));
}

function deletedLine({ path, type, files, bytes, deleted }: DeletedReply): string {
  const what = type === 'folder' ? `/  (${count(files, 'file')})` : '';
  return `${formatBytes(bytes).padStart(9)}  ${formatTime(deleted)}  ${printable(path)}${what}`;
}

function line(entry: EntryReply, recursive: boolean): string {
  const name = printable(recursive ? entry.path : baseName(entry.path));
  const bytes = entry.type === 'folder' ? '–' : formatBytes(entry.bytes);
  return `${bytes.padStart(9)}  ${formatTime(entry.modified)}  ${name}${entry.type === 'folder' ? '/' : ''}`;
}
