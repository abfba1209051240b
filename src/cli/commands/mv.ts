import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import { destinationOf } from '../destination.js';
import { Invocation } from '../invocation.js';
import { baseName, parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';

export function defineMv(command: Command, runtime: Runtime): void {
  command
    .argument('<paths...>', 'FROM... TO')
    .usage('[options] FROM... TO')
    .addHelpText('after', '\nExamples:\n  shoal mv /photos/cat.jpg /photos/mimi.jpg\n  shoal mv /a /b /archive/\n')
    .action(async (texts: string[], _options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const { client } = invocation;
      const [to, ...from] = texts.map(parseRemotePath).reverse();
      if (to === undefined || from.length === 0) {
        throw new StorageError('INVALID_ARGUMENT', 'Give what to move and where to: shoal mv /from /to.');
      }
      const target = { ...to, found: (await client.statIfThere(to.path))?.type };
      const moves = [];
      for (const { path } of from.reverse()) {
        const { type } = await client.stat(path);
        moves.push({ from: path, to: destinationOf({ name: baseName(path), type }, target, from.length > 1) });
      }
      for (const move of moves) await client.move(move.from, move.to);
      invocation.result({ moved: moves }, () => '');
    });
}
