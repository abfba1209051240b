import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { RecoveryDone } from '../../gateways/http/api.js';
import type { UserReply } from '../../gateways/http/user-api.js';
import type { RecoveryOutcome } from '../control-client.js';
import { type CommonOptions, Invocation } from '../invocation.js';
import { readPassphrase, readRecovery } from '../passphrase.js';
import { printable } from '../printable.js';
import { openRecoveryBar } from '../recovery-bar.js';
import type { Runtime } from '../runtime.js';
import { count, formatBytes } from '../units.js';

interface RecoverOptions {
  readonly id?: string;
  readonly kit?: true;
  readonly dryRun?: true;
  readonly passphraseFile?: string;
  readonly wordsFile?: string;
  readonly newPassphraseFile?: string;
}

const AFTER = `
For when the databases are gone and no backup host has them: the chunks on the peers say which files there were. What this
peer still knows is left as it is, so it does no harm to run it twice. Files come back where they were stored last, with
their versions. What a move changed since, and folders without files, no chunk knows; removed files may come back.

Examples:
  shoal recover alice --dry-run      what would come back
  shoal recover alice                bring it back
  shoal recover alice --kit          with the recovery kit instead of the passphrase
  shoal recover --id 1f2e…           where several users of one name are found
`;

export function defineRecover(command: Command, runtime: Runtime): void {
  command
    .argument('[name]', 'the user')
    .option('--id <id>', 'the user id, where a name is not enough')
    .option('-n, --dry-run', 'only say what would come back')
    .option('--kit', 'the words of the recovery kit and a new passphrase, instead of the passphrase')
    .option('--passphrase-file <path>', 'read the passphrase from a file')
    .option('--words-file <path>', 'read the words of the kit from a file')
    .option('--new-passphrase-file <path>', 'read the new passphrase from a file')
    .addHelpText('after', AFTER)
    .action(async (given: string | undefined, options: RecoverOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const name = given ?? invoked.optsWithGlobals<CommonOptions>().user;
      const user = await invocation.client.adoptUser(asked(name, options.id));
      if (options.kit === true || !user.unlocked) await unlock(invocation, user, options);
      const done = await recover(invocation, user.name, options.dryRun === true);
      invocation.result(done, () => summary(done));
    });
}

function asked(name: string | undefined, id: string | undefined): { name: string } | { id: string } {
  if (id !== undefined) return { id };
  if (name !== undefined) return { name };
  throw new StorageError('INVALID_ARGUMENT', 'Say whose files are to come back: `shoal recover NAME`.');
}

async function unlock({ client, runtime }: Invocation, { name }: UserReply, options: RecoverOptions): Promise<void> {
  if (options.kit !== true) {
    await client.unlock(name, await readPassphrase(runtime, options.passphraseFile));
    return;
  }
  const { old: words, next } = await readRecovery(runtime, {
    old: options.wordsFile,
    next: options.newPassphraseFile,
  });
  await client.recover({ name, words, next });
  await client.unlock(name, next);
}

/** With --json each event is a line on stdout; a person is told of what is not well, and in a dry run of everything. */
async function recover(invocation: Invocation, user: string, dryRun: boolean): Promise<RecoveryDone> {
  const bar = await openRecoveryBar(invocation);
  try {
    for await (const outcome of invocation.client.recoverCatalog(user, { dryRun })) {
      if (outcome.event === 'done') return outcome;
      if (outcome.event === 'stripes') bar.expect(outcome.stripes);
      else if (outcome.event === 'stripe') bar.advance();
      else invocation.result(outcome, () => (dryRun || outcome.event !== 'recovered' ? describe(outcome) : ''));
    }
  } finally {
    bar.stop();
  }
  throw new StorageError('UNAVAILABLE', 'The peer stopped. Run it again: what came back stays.');
}

type Told = Exclude<RecoveryOutcome, RecoveryDone | { readonly event: 'stripes' | 'stripe' }>;

function describe(told: Told): string {
  switch (told.event) {
    case 'peer': {
      const bad = told.badLabels === 0 ? '' : `, and ${count(told.badLabels, 'label')} that did not hold`;
      const failure = told.failure === null ? '' : `; it told no more: ${told.failure.message}`;
      return `${printable(told.name)} has ${count(told.chunks, 'chunk')}${bad}${printable(failure)}`;
    }
    case 'recovered':
      return `${printable(told.path)}  ${formatBytes(told.bytes)}`;
    case 'broken':
      return `${printable(told.path)} is not whole: ${told.missing} cannot be had now.`;
    case 'unread':
      return `A stripe cannot be read: ${count(told.chunks, 'chunk')} of ${String(told.needed)} that are needed can be had. ${printable(told.message)}`;
    case 'refused':
      return `${printable(told.path)} did not come back: ${printable(told.message)}`;
  }
}

function summary({ dryRun, recovered, bytes, known, broken, unread, refused }: RecoveryDone): string {
  const versions = `${count(recovered, 'version')} of files (${formatBytes(bytes)})`;
  const were = known === 1 ? 'was' : 'were';
  const lines = [
    `${versions} ${dryRun ? 'would come' : 'came'} back; ${count(known, 'version')} ${were} known already.`,
  ];
  const bad = broken + unread + refused;
  if (bad > 0) {
    lines.push(
      `${count(broken, 'version')} not whole, ${count(unread, 'stripe')} not readable, ${count(refused, 'version')} refused. Start the peers that are missing and run it again; what remains of removed files looks the same.`,
    );
  }
  return lines.join('\n');
}
