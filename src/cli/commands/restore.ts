import type { Command } from 'commander';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';

export function defineRestore(command: Command, runtime: Runtime): void {
  command
    .argument('<paths...>', 'where the files and folders were')
    .option('--version <id>', 'makes this version the newest again (shoal versions lists them)')
    .addHelpText(
      'after',
      `
Without --version, what was removed at a path last comes back from the trash; when something is there by now, under a
name with a number.

Examples:
  shoal restore /photos
  shoal restore /notes.txt --version ID
`,
    )
    .action(async (texts: string[], options: { version?: string }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const restored: { readonly from: string; readonly path: string }[] = [];
      for (const text of texts) {
        const { path: from } = parseRemotePath(text);
        const { path } = await invocation.client.restore(from, options.version);
        restored.push({ from, path });
        if (path !== from) invocation.note(`${printable(from)} is there: restored as ${printable(path)}`);
      }
      invocation.result(restored, () => '');
    });
}
