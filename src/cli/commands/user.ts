import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { ChangeReply } from '../../gateways/http/user-api.js';
import { Invocation } from '../invocation.js';
import { KitFile } from '../kit-file.js';
import { fingerprint, kitPage } from '../kit-page.js';
import { readNewPassphrase, readPassphrase, readPassphraseChange, readRecovery } from '../passphrase.js';
import { printable } from '../printable.js';
import type { Runtime } from '../runtime.js';
import { noteTokens } from '../token-note.js';
import { table } from '../table.js';
import { userMeant } from '../user-meant.js';
import { defineUserKeys } from './user-keys.js';
import { defineUserSshKey } from './user-ssh-key.js';

const AFTER = `
Passphrases are asked for on a terminal without an echo. For scripts they come from files or from a pipe: one line, or the
old one and the new one on two lines. Without NAME, the only user of the network is meant.

Examples:
  shoal user create alice
  shoal user list
  shoal user passphrase alice
  shoal user kit alice --out kit.txt
  shoal user recover alice
  shoal user keys rotate alice
  shoal user ssh-key add ~/.ssh/id_ed25519.pub
`;

interface Files {
  readonly passphraseFile?: string;
  readonly newPassphraseFile?: string;
  readonly wordsFile?: string;
  readonly revokeTokens?: boolean;
}

export function defineUser(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER);
  defineCreate(command.command('create'), runtime);
  defineList(command.command('list'), runtime);
  definePassphrase(command.command('passphrase'), runtime);
  defineUserKeys(command.command('keys'), runtime);
  defineUserSshKey(command.command('ssh-key'), runtime);
  defineKit(command.command('kit'), runtime);
  defineRecover(command.command('recover'), runtime);
}

function defineCreate(command: Command, runtime: Runtime): void {
  command
    .description('make a user')
    .argument('<name>', 'a–z, 0–9, ".", "_" and "-"')
    .option('--passphrase-file <path>', 'read the passphrase from a file')
    .addHelpText(
      'after',
      '\nExamples:\n  shoal user create alice\n  shoal user create alice --passphrase-file phrase\n',
    )
    .action(async (name: string, options: Files, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const user = await invocation.client.createUser(name, await readNewPassphrase(runtime, options.passphraseFile));
      const shown = printable(user.name);
      invocation.result(user, () => `User ${shown} is there, with the fingerprint ${fingerprint(user.id)}.`);
      invocation.note(
        `Nobody can help you when the passphrase is lost: print a recovery kit with \`shoal user kit ${shown}\`.`,
      );
    });
}

function defineList(command: Command, runtime: Runtime): void {
  command
    .description('list the users of the network')
    .addHelpText('after', '\nExamples:\n  shoal user list\n  shoal user list --json\n')
    .action(async (_options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const users = await invocation.client.users();
      const rows = users.map(({ id, name, unlocked, generation, kit }) => [
        printable(name),
        fingerprint(id),
        String(generation),
        kit ? 'yes' : 'no',
        unlocked ? 'unlocked' : 'locked',
      ]);
      invocation.result(users, () =>
        rows.length === 0 ? '' : table(['user', 'fingerprint', 'keys', 'kit', 'here'], rows),
      );
    });
}

function definePassphrase(command: Command, runtime: Runtime): void {
  command
    .description('change a passphrase; the old one is dead from then on')
    .argument('[name]', 'the user')
    .option('--passphrase-file <path>', 'read the old passphrase from a file')
    .option('--new-passphrase-file <path>', 'read the new passphrase from a file')
    .option('--revoke-tokens', 'the tokens of programs end, too')
    .addHelpText(
      'after',
      '\nBrowsers that are signed in have to sign in again. Tokens of programs stay good unless you say otherwise.\n\nExamples:\n  shoal user passphrase\n  shoal user passphrase alice --passphrase-file old --new-passphrase-file new\n',
    )
    .action(async (given: string | undefined, options: Files, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const name = await userMeant(invocation, given, invoked);
      const files = { old: options.passphraseFile, next: options.newPassphraseFile };
      const { old, next } = await readPassphraseChange(runtime, files);
      const { revokeTokens } = options;
      const reply = await invocation.client.changePassphrase({ name, old, next, revokeTokens });
      invocation.result(
        reply,
        () =>
          `The passphrase of ${printable(name)} is changed. The old one was tried on all that this peer holds, and opens nothing.`,
      );
      notePending(invocation, reply);
      noteTokens(invocation, reply);
    });
}

function defineKit(command: Command, runtime: Runtime): void {
  command
    .description('print a recovery kit: 24 words that open everything')
    .argument('[name]', 'the user')
    .option('--passphrase-file <path>', 'read the passphrase from a file')
    .option('--out <file>', 'write the page to a new file that only you can read')
    .addHelpText(
      'after',
      '\nThe words are shown once, and kept nowhere. A new kit makes the one before worthless.\n\nExamples:\n  shoal user kit alice\n  shoal user kit alice --out kit.txt && lp kit.txt && shred -u kit.txt\n',
    )
    .action(async (given: string | undefined, options: Files & { out?: string }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const { out } = options;
      if (out === undefined && (invocation.json || runtime.stdout.isTTY !== true)) {
        throw new StorageError(
          'INVALID_ARGUMENT',
          'A recovery kit is shown on a terminal only. For a file that only you can read: --out FILE.',
        );
      }
      const name = await userMeant(invocation, given, invoked);
      const passphrase = await readPassphrase(runtime, options.passphraseFile);
      await using file = out === undefined ? undefined : await KitFile.open(out);
      const { words, ...reply } = await invocation.client.makeKit(name, passphrase);
      const page = kitPage({ ...reply, words });
      await file?.write(page);
      invocation.result({ ...reply, file: out ?? null }, () =>
        out === undefined
          ? page
          : `The recovery kit of ${printable(name)} is in ${out}. Print it, then destroy the file.`,
      );
      notePending(invocation, reply);
    });
}

function defineRecover(command: Command, runtime: Runtime): void {
  command
    .description('set a new passphrase with the words of the recovery kit')
    .argument('<name>', 'the user')
    .option('--words-file <path>', 'read the words from a file')
    .option('--new-passphrase-file <path>', 'read the new passphrase from a file')
    .option('--revoke-tokens', 'the tokens of programs end, too')
    .addHelpText(
      'after',
      '\nExamples:\n  shoal user recover alice\n  shoal user recover alice --words-file kit --new-passphrase-file phrase\n',
    )
    .action(async (name: string, options: Files, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const files = { old: options.wordsFile, next: options.newPassphraseFile };
      const { old: words, next } = await readRecovery(runtime, files);
      const { revokeTokens } = options;
      const reply = await invocation.client.recover({ name, words, next, revokeTokens });
      invocation.result(reply, () => `${printable(name)} has a new passphrase. The recovery kit stays valid.`);
      notePending(invocation, reply);
      noteTokens(invocation, reply);
    });
}

/** What was replaced is not dead everywhere yet. */
function notePending(invocation: Invocation, { pendingHosts }: ChangeReply): void {
  if (pendingHosts.length === 0) return;
  const hosts = pendingHosts.map(printable).join(', ');
  invocation.note(`Not taken over yet by ${hosts}: what was replaced opens their copy until they have been reached.`);
}
