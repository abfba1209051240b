import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { wrapError } from '../../errors.js';
import type { SshKeyReply } from '../../gateways/http/user-api.js';
import { Invocation } from '../invocation.js';
import { readPassphrase } from '../passphrase.js';
import { printable } from '../printable.js';
import type { Runtime } from '../runtime.js';
import { table } from '../table.js';
import { userMeant } from '../user-meant.js';

const AFTER = `
A key lets its owner into the SFTP of every peer where the user is unlocked, and only there: it opens nothing by itself. It
lies in the user's document, so all peers learn of it; other peers where the user is unlocked have to be unlocked again.

Examples:
  shoal user ssh-key add ~/.ssh/id_ed25519.pub
  shoal user ssh-key list alice
  shoal user ssh-key rm laptop --user alice
`;

interface Options {
  readonly passphraseFile?: string;
  readonly name?: string;
}

export function defineUserSshKey(command: Command, runtime: Runtime): void {
  command.description('keys by which a user logs in over SFTP').addHelpText('after', AFTER);
  defineAdd(command.command('add'), runtime);
  defineList(command.command('list'), runtime);
  defineRemove(command.command('rm'), runtime);
}

function defineAdd(command: Command, runtime: Runtime): void {
  command
    .description('let the owner of an SSH key in; asks for the passphrase')
    .argument('<file>', 'the public key, a file that ends in ".pub"')
    .option('--name <name>', 'what to call it; default: the comment in the file')
    .option('--passphrase-file <path>', 'read the passphrase from a file')
    .addHelpText(
      'after',
      '\nExamples:\n  shoal user ssh-key add ~/.ssh/id_ed25519.pub\n  shoal user ssh-key add key.pub --name laptop --user alice\n',
    )
    .action(async (file: string, options: Options, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const key = await readKey(file);
      const user = await userMeant(invocation, undefined, invoked);
      const passphrase = await readPassphrase(runtime, options.passphraseFile);
      const keys = await invocation.client.addSshKey({ name: user, passphrase, key, label: options.name ?? '' });
      const shown = printable(user);
      const added = keys.at(-1);
      invocation.result(keys, () => `The SSH key ${printable(added?.name ?? '')} lets ${shown} in over SFTP.`);
      invocation.note(`It does so at a peer where ${shown} is unlocked: \`shoal unlock ${shown}\`.`);
    });
}

function defineList(command: Command, runtime: Runtime): void {
  command
    .description('list the SSH keys of a user')
    .argument('[name]', 'the user')
    .addHelpText('after', '\nExamples:\n  shoal user ssh-key list alice\n  shoal user ssh-key list alice --json\n')
    .action(async (given: string | undefined, _options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const keys = await invocation.client.sshKeys(await userMeant(invocation, given, invoked));
      invocation.result(keys, () =>
        keys.length === 0 ? '' : table(['name', 'fingerprint', 'kind', 'added'], keys.map(rowOf)),
      );
    });
}

function rowOf({ name, fingerprint, algorithm, added }: SshKeyReply): string[] {
  return [printable(name), fingerprint, printable(algorithm), added.slice(0, 10)];
}

function defineRemove(command: Command, runtime: Runtime): void {
  command
    .description('let the owner of an SSH key in no longer; asks for the passphrase')
    .argument('<key>', 'its name or fingerprint')
    .option('--passphrase-file <path>', 'read the passphrase from a file')
    .addHelpText(
      'after',
      '\nConnections that are open stay so until the user is locked.\n\nExamples:\n  shoal user ssh-key rm laptop\n  shoal user ssh-key rm SHA256:3o8noXijkwGkPB9NVHiSNWjXt0lgAtOIKD3Am4O+m60 --user alice\n',
    )
    .action(async (which: string, options: Options, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const name = await userMeant(invocation, undefined, invoked);
      const passphrase = await readPassphrase(runtime, options.passphraseFile);
      const keys = await invocation.client.removeSshKey({ name, passphrase, which });
      invocation.result(keys, () => `${printable(which)} lets ${printable(name)} in no longer.`);
    });
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw wrapError(error, `Reading the SSH key ${file}`);
  }
}
