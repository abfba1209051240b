import type { Command } from 'commander';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import type { Runtime } from '../runtime.js';

export function defineLock(command: Command, runtime: Runtime): void {
  command
    .argument('<name>', 'the user')
    .addHelpText('after', '\nThe keys leave the memory of the peer.\n\nExamples:\n  shoal lock alice\n')
    .action(async (name: string, _options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      await invocation.client.lock(name);
      invocation.result({ name, unlocked: false }, () => `${printable(name)} is locked.`);
    });
}
