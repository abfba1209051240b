import type { Command } from 'commander';
import type { EntryReply } from '../../gateways/http/api.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { baseName, parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';
import { formatBytes, formatTime } from '../units.js';

export function defineLs(command: Command, runtime: Runtime): void {
  command
    .argument('[path]', 'a remote folder or file', '/')
    .option('-r, --recursive', 'everything below the folder')
    .addHelpText('after', '\nExamples:\n  shoal ls /photos\n  shoal ls -r / --json\n')
    .action(async (text: string, options: { recursive?: true }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const { path } = parseRemotePath(text);
      const recursive = options.recursive === true;
      const entries = await invocation.client.list(path, { recursive });
      invocation.result(entries.map(shape), () => entries.map((entry) => line(entry, recursive)).join('\n'));
    });
}

/** The contract with scripts; a daemon may send more. */
function shape({ path, type, bytes, modified, version }: EntryReply): EntryReply {
  return { path, type, bytes, modified, version };
}

function line(entry: EntryReply, recursive: boolean): string {
  const name = printable(recursive ? entry.path : baseName(entry.path));
  const bytes = entry.type === 'folder' ? '–' : formatBytes(entry.bytes);
  return `${bytes.padStart(9)}  ${formatTime(entry.modified)}  ${name}${entry.type === 'folder' ? '/' : ''}`;
}
