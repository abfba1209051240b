import type { Command } from 'commander';
import { Invocation } from '../invocation.js';
import { readPassphrase } from '../passphrase.js';
import { printable } from '../printable.js';
import type { Runtime } from '../runtime.js';

export function defineUnlock(command: Command, runtime: Runtime): void {
  command
    .argument('<name>', 'the user')
    .option('--passphrase-file <path>', 'read the passphrase from a file')
    .addHelpText(
      'after',
      '\nThe passphrase is asked for on a terminal, and read from a pipe otherwise.\n\nExamples:\n  shoal unlock alice\n  pass show shoal | shoal unlock alice\n',
    )
    .action(async (name: string, options: { passphraseFile?: string }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const passphrase = await readPassphrase(runtime, options.passphraseFile);
      const user = await invocation.client.unlock(name, passphrase);
      invocation.result(user, () => `${printable(user.name)} is unlocked until \`shoal lock\` or the end of the peer.`);
    });
}
