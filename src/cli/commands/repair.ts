import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { RepairsDone, RepairsReply, SurveyReply } from '../../gateways/http/audit-api.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { openQuietBar } from '../quiet-bar.js';
import type { Runtime } from '../runtime.js';
import { count, formatBytes, formatSeconds, formatTime } from '../units.js';

const AFTER = `
Chunks of peers that are gone (setting graceHours), that were removed or distrusted, and what a put could not place, are
rebuilt on other peers from the chunks that are left; chunks of peers that leave are copied. Any peer that knows a stripe does
that by itself, without a key, those with the least margin first (setting repairMegabytes). Without --now this says how that
stands. With --now this peer does at once all that can be done. Ctrl-C ends it, and what is repaired stays repaired.

Examples:
  shoal repair
  shoal repair --now
  shoal repair --now --json
`;

export function defineRepair(command: Command, runtime: Runtime): void {
  command
    .option('--now', 'repair now all that can be')
    .addHelpText('after', AFTER)
    .action(async (options: { readonly now?: true }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      if (options.now === true) {
        const done = await repairNow(invocation);
        invocation.result(done, () => summary(done));
      } else {
        const state = await invocation.client.repairs();
        invocation.result(state, () => describe(state));
      }
    });
}

async function repairNow(invocation: Invocation): Promise<RepairsDone> {
  const bar = await openQuietBar(invocation, 'stripes  {bar}  {percentage}%  {value} of {total}');
  try {
    for await (const outcome of invocation.client.repairNow()) {
      if (outcome.event === 'done') return outcome;
      if (outcome.event === 'begin') bar?.setTotal(Math.max(1, outcome.stripes));
      else bar?.increment();
    }
  } finally {
    bar?.stop();
  }
  throw new StorageError(
    'UNAVAILABLE',
    'The peer stopped. What was repaired stays repaired; run it again for the rest.',
  );
}

function summary({ stripes, words, reasons }: RepairsDone): string {
  if (stripes === 0) return 'Nothing has to be repaired.';
  return [`${count(stripes, 'stripe')}: ${words}.`, ...reasons.map((reason) => `  ${printable(reason)}`)].join('\n');
}

function describe(state: RepairsReply): string {
  const { bytesPerSecond, survey, queued, secondsLeft, rebalance, running, reason, totals } = state;
  const off = 'Off: the setting repairMegabytes is 0. `shoal repair --now` repairs all the same.';
  const lines = [bytesPerSecond === 0 ? off : `On, with ${formatBytes(bytesPerSecond)} a second at most.`];
  lines.push(survey === null ? 'This peer has not looked yet.' : surveySentence(survey));
  if (queued.stripes > 0) {
    const left = secondsLeft === null ? '' : `, about ${formatSeconds(secondsLeft)}`;
    const what = `${count(queued.chunks, 'chunk')} of ${count(queued.stripes, 'stripe')}`;
    lines.push(`To be repaired: ${what}, which moves ${formatBytes(queued.bytes)}${left}.`);
  }
  if (rebalance.stripes > 0) {
    const left = rebalance.secondsLeft === null ? '' : `, about ${formatSeconds(rebalance.secondsLeft)}`;
    const what = `${count(rebalance.stripes, 'chunk')} (${formatBytes(rebalance.bytes)})`;
    lines.push(`To be moved to peers that joined, after all repairs: ${what}${left}.`);
  }
  if (running > 0) lines.push(`${count(running, 'stripe')} being repaired.`);
  if (reason !== null) lines.push(`Last left: ${printable(reason)}`);
  const rebuilt = `${count(totals.rebuiltChunks, 'chunk')} rebuilt here (${formatBytes(totals.movedBytes)} moved)`;
  const moved =
    totals.rebalancedChunks === 0 ? '' : `, ${count(totals.rebalancedChunks, 'chunk')} moved to peers that joined`;
  lines.push(`Since the peer was started: ${count(totals.chunks, 'chunk')} given a new place, ${rebuilt}${moved}.`);
  return lines.join('\n');
}

function surveySentence({ stripes, whole, degraded, atRisk, lost, at }: SurveyReply): string {
  const kinds = [
    [whole, 'whole'],
    [degraded, 'degraded'],
    [atRisk, 'at risk: one more loss is too many'],
    [lost, 'not to be rebuilt now'],
  ] as const;
  const parts = kinds.flatMap(([amount, how]) => (amount === 0 ? [] : `${String(amount)} ${how}`));
  return `Of ${count(stripes, 'stripe')} that it knows: ${parts.join(', ') || 'none'} (${formatTime(at)}).`;
}
