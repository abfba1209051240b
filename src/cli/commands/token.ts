import { Option, type Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { TokenScope } from '../../gateways/http/web-api.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import type { Runtime } from '../runtime.js';
import { table } from '../table.js';

const DEFAULT_DAYS = 90;

const AFTER = `
A program sends it as "Authorization: Bearer TOKEN" to the HTTP API (docs/http-api.md). It is good while its user is unlocked
at this peer. Scopes: all; read, which changes nothing; metrics, which is GET /metrics alone.

Examples:
  shoal token create backup-script
  shoal token create grafana --scope metrics --days 3650
  shoal token list
  shoal token rm 0f3a9c51d2e47b68
`;

interface CreateOptions {
  readonly scope: TokenScope;
  readonly days: number;
}

export function defineToken(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER);
  command
    .command('create')
    .description('make one; it is shown once')
    .argument('<name>', 'what it is for')
    .addOption(new Option('--scope <scope>', 'what it may do').choices(['all', 'read', 'metrics']).default('all'))
    .option('--days <n>', 'how long it is good', parseDays, DEFAULT_DAYS)
    .action(async (name: string, { scope, days }: CreateOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const made = await invocation.client.makeToken({ name, scope, days });
      invocation.result(made, () => made.token);
      invocation.note(`This is shown once. It is good until ${made.expires.slice(0, 10)}; its id is ${made.id}.`);
    });
  command
    .command('list')
    .description('list tokens, and browsers that are signed in')
    .action(async (_options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const sessions = await invocation.client.sessions();
      const rows = sessions.map((one) => [
        one.id,
        one.kind,
        printable(one.name),
        one.scope,
        one.lastUsed.slice(0, 16).replace('T', ' '),
        one.expires.slice(0, 10),
      ]);
      invocation.result(sessions, () => table(['id', '', 'name', 'scope', 'last used (UTC)', 'until'], rows));
    });
  command
    .command('rm')
    .description('revoke a token, or sign a browser out')
    .argument('<id...>', 'as `shoal token list` shows it')
    .action(async (ids: readonly string[], _options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      for (const id of ids) await invocation.client.endSession(id);
      invocation.result({ removed: ids }, () => '');
    });
}

function parseDays(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new StorageError('INVALID_ARGUMENT', `"${text}" is not a number of days: write it in digits.`);
}
