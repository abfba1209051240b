import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { RotationReply, RotationRequest } from '../../gateways/http/user-api.js';
import { Invocation } from '../invocation.js';
import { readPassphrase } from '../passphrase.js';
import { printable } from '../printable.js';
import { openRotationBar } from '../rotation-bar.js';
import type { Runtime } from '../runtime.js';
import { noteTokens } from '../token-note.js';
import { userMeant } from '../user-meant.js';

const AFTER = `
New keys make what somebody may have learnt of the old ones worthless for all that is written from then on. The catalog is
sealed anew under them; chunks stay where they are. Ctrl-C pauses that work: it goes on when the user is unlocked next.

Examples:
  shoal user keys rotate alice
  shoal user keys status alice
`;

interface RotateOptions {
  readonly passphraseFile?: string;
  readonly entriesPerSecond?: number;
  readonly revokeTokens?: boolean;
}

export function defineUserKeys(command: Command, runtime: Runtime): void {
  command.description('give a user new keys, or see how far that is').addHelpText('after', AFTER);
  command
    .command('rotate')
    .description('give the user new keys; the recovery kit ends with the old ones')
    .argument('[name]', 'the user, unlocked')
    .option('--passphrase-file <path>', 'read the passphrase from a file')
    .option('--entries-per-second <n>', 'seal no faster, so that others get their share of the disk', parseRate)
    .option('--revoke-tokens', 'the tokens of programs end, too')
    .addHelpText(
      'after',
      '\nBrowsers that are signed in have to sign in again. Tokens of programs stay good unless you say otherwise.\n\nExamples:\n  shoal user keys rotate alice\n',
    )
    .action(async (given: string | undefined, options: RotateOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const name = await userMeant(invocation, given, invoked);
      const passphrase = await readPassphrase(runtime, options.passphraseFile);
      const { entriesPerSecond, revokeTokens } = options;
      const hadKit = (await invocation.client.users()).some((user) => user.name === name && user.kit);
      const last = await rotate(invocation, name, { passphrase, entriesPerSecond, revokeTokens });
      invocation.result(last, () => statusText(name, last));
      if (hadKit) {
        invocation.note(
          `The recovery kit ended with the old keys. Print another: \`shoal user kit ${printable(name)}\`.`,
        );
      }
    });
  command
    .command('status')
    .description('how far the rotation of the keys is')
    .argument('[name]', 'the user, unlocked')
    .addHelpText('after', '\nExamples:\n  shoal user keys status alice --json\n')
    .action(async (given: string | undefined, _options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const name = await userMeant(invocation, given, invoked);
      const rotation = await invocation.client.rotation(name);
      invocation.result(rotation, () => statusText(name, rotation));
    });
}

async function rotate(invocation: Invocation, name: string, request: RotationRequest): Promise<RotationReply> {
  const bar = await openRotationBar(invocation);
  try {
    for await (const told of invocation.client.rotateKeys(name, request)) {
      if (told.event === 'replaced') {
        noteTokens(invocation, told);
        continue;
      }
      const { event, ...rotation } = told;
      if (event === 'done') return rotation;
      bar.show(rotation);
    }
  } catch (error) {
    if (invocation.runtime.signal.aborted) {
      invocation.note('Paused. The new keys are valid; the rest goes on when the user is unlocked next.');
    }
    throw error;
  } finally {
    bar.stop();
  }
  throw new StorageError('UNAVAILABLE', 'The peer stopped. The rotation goes on when the user is unlocked next.');
}

function statusText(name: string, { generation, state, done, total }: RotationReply): string {
  const keys = `${printable(name)} has keys of generation ${String(generation)}`;
  if (state === 'none') return `${keys}, and everything is under them.`;
  return `${keys}; ${String(done)} of ${String(total)} entries of the catalog are under them by now.`;
}

function parseRate(text: string): number {
  const rate = Number(text);
  if (Number.isFinite(rate) && rate > 0) return rate;
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is not a number above 0.`);
}
