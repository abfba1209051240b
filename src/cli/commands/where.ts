import type { Command } from 'commander';
import type { WhereReply } from '../../gateways/http/api.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';
import { count, formatBytes } from '../units.js';
import { whereSentence, whereTable } from '../where-table.js';

/** Rows that fit on a screen. */
const SHOWN_STRIPES = 32;

export function defineWhere(command: Command, runtime: Runtime): void {
  command
    .argument('<path>', 'a remote file')
    .option('--version <id>', 'an earlier version (see `shoal versions`)')
    .option('--all', `every stripe, not only the first ${String(SHOWN_STRIPES)}`)
    .addHelpText(
      'after',
      '\nd0, d1 … are data chunks, p0, p1 … parity chunks.\n\nExamples:\n  shoal where /photos/cat.jpg\n',
    )
    .action(async (text: string, options: { version?: string; all?: true }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const where = await invocation.client.where(parseRemotePath(text).path, options.version);
      if (invocation.json) {
        invocation.result(where, () => '');
        return;
      }
      const { peers } = await invocation.client.status();
      const shown = options.all === true ? where.stripes.length : SHOWN_STRIPES;
      const parts = [heading(where)];
      if (where.stripes.length > 0) parts.push(whereTable(where, peers, shown), whereSentence(where, peers));
      invocation.result(where, () => parts.join('\n\n'));
    });
}

function heading({ path, bytes, k, m, stripes }: WhereReply): string {
  const what = `${printable(path)}: ${formatBytes(bytes)} in ${count(stripes.length, 'stripe')}`;
  if (stripes.length === 0) return `${printable(path)} is empty: there is nothing to store.`;
  return `${what}, each of ${String(k)} data and ${String(m)} parity chunks (any ${String(k)} rebuild it)`;
}
