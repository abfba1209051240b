import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import { Invocation } from '../invocation.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';

export function defineMkdir(command: Command, runtime: Runtime): void {
  command
    .argument('<paths...>', 'remote folders; missing parents are made too')
    .option('-p, --parents', 'a folder that is there already is fine')
    .addHelpText('after', '\nExamples:\n  shoal mkdir /photos/2026\n')
    .action(async (texts: string[], options: { parents?: true }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const paths = texts.map((text) => parseRemotePath(text).path);
      for (const path of paths) {
        const found = await invocation.client.statIfThere(path);
        if (found === undefined) await invocation.client.makeFolder(path);
        else if (found.type === 'file' || options.parents !== true) {
          throw new StorageError('ALREADY_EXISTS', `There is a ${found.type} at ${path} already.`);
        }
      }
      invocation.result({ folders: paths }, () => '');
    });
}
