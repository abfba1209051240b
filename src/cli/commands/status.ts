import type { Command } from 'commander';
import pc from 'picocolors';
import { StorageError } from '../../errors.js';
import type { StatusReply } from '../../gateways/http/api.js';
import { MAX_WORST_FILES } from '../../limits.js';
import type { HoldingsOutcome } from '../control-client.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { wantsColor, type Runtime } from '../runtime.js';
import { statusSentence } from '../safety.js';
import { safetyLines, worstLines } from '../safety-lines.js';
import { syncLines } from '../sync-lines.js';
import { table } from '../table.js';
import { count, formatBytes } from '../units.js';

const AFTER = `
What may fail is worked out from where the chunks of your files lie and who answers just now. What each peer really holds is
compared every six hours, and soon after it was restarted; --check does that first.

  healthy   every chunk is where it should be
  degraded  something is missing, and any one machine may fail
  at risk   there is a machine that may not fail now
  lost      cannot be read now; it comes back with the machines that are missing

Examples:
  shoal status
  shoal status --check --files
  SHOAL_HOME=net/peer-2 shoal status --json
`;

interface StatusOptions {
  readonly files?: true;
  readonly check?: true;
}

export function defineStatus(command: Command, runtime: Runtime): void {
  command
    .option('--files', `name up to ${String(MAX_WORST_FILES)} files that are lost or at risk`)
    .option('--check', 'ask all peers first what they hold')
    .addHelpText('after', AFTER)
    .action(async (options: StatusOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const { client } = invocation;
      if (options.check === true) await checkHoldings(client);
      const told = await client.status();
      const isLong = options.files === true && told.safety !== null;
      const status = isLong ? { ...told, safety: await client.safety(MAX_WORST_FILES) } : told;
      const colors = pc.createColors(wantsColor(runtime.stdout, runtime.env));
      invocation.result(status, () =>
        [...summary(status), '', peerTable(status, colors), '', statusSentence(status), ...safe(status, isLong)].join(
          '\n',
        ),
      );
    });
}

async function checkHoldings(client: Invocation['client']): Promise<HoldingsOutcome> {
  for await (const outcome of client.compareNow()) return outcome;
  throw new StorageError('UNAVAILABLE', 'The peer stopped while it asked the others. Run it again.');
}

function safe({ safety }: StatusReply, isLong: boolean): string[] {
  return safety === null ? [] : [...safetyLines(safety, Date.now()), ...worstLines(safety, isLong)];
}

function summary({ network, peer, store, users, sync, outbox, missing, problems }: StatusReply): string[] {
  const unlocked = users.filter((user) => user.unlocked).map((user) => printable(user.name));
  const lines = [
    `Network  ${printable(network.name)}, ${String(network.k)} data + ${String(network.m)} parity chunks a stripe`,
    `Peer     ${printable(peer.name)} at ${peer.address}`,
    `Store    ${store === null ? 'not known' : storeSentence(store)}`,
    `Users    ${unlocked.length === 0 ? 'none unlocked' : `${unlocked.join(', ')} unlocked`}`,
  ];
  lines.push(...syncLines(sync));
  if (outbox.pendingDeletes !== null && outbox.pendingDeletes > 0)
    lines.push(`Outbox   ${count(outbox.pendingDeletes, 'deletion')} waiting for peers: see "shoal garbage"`);
  for (const { message } of missing) lines.push(`Missing  ${message}`);
  if (problems.length > 0) lines.push(`Records  ${problemSentence(problems)}`);
  return lines;
}

function storeSentence({ chunks, bytes, freeBytes, reserveBytes }: NonNullable<StatusReply['store']>): string {
  return `${count(chunks, 'chunk')}, ${formatBytes(bytes)}; ${formatBytes(freeBytes)} free, of which ${formatBytes(reserveBytes)} stay untouched`;
}

const PROBLEMS = {
  refused: 'refused as forged or damaged',
  replayed: 'mended, because an older state had been put back',
  newer: 'left alone until Shoal is upgraded',
  lost: 'lost',
} as const;

function problemSentence(problems: StatusReply['problems']): string {
  const kinds = Object.entries(PROBLEMS).flatMap(([kind, words]) => {
    const amount = problems.filter((problem) => problem.kind === kind).length;
    return amount === 0 ? [] : `${String(amount)} ${words}`;
  });
  return `${kinds.join(', ')}; --json and the log say which`;
}

function peerTable({ peers, peer: own }: StatusReply, colors: ReturnType<typeof pc.createColors>): string {
  const byName = [...peers].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const rows = byName.map((peer) => [
    printable(peer.name) + (peer.id === own.id ? ' *' : ''),
    peer.up ? colors.green('up') : colors.red('down'),
    peer.state === 'member' ? '' : peer.state,
    peer.latencyMs === null ? '' : `${peer.latencyMs.toFixed(1)} ms`,
    formatBytes(peer.capacityBytes),
    printable(peer.zone),
    peer.address,
  ]);
  return table(['peer', '', '', 'answers in', 'room', 'zone', 'address'], rows, [
    'left',
    'left',
    'left',
    'right',
    'right',
  ]);
}
