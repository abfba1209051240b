import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { CompactedReply, CompactionDone, CompactionReply } from '../../gateways/http/compaction-api.js';
import { Invocation } from '../invocation.js';
import type { Runtime } from '../runtime.js';
import { count, formatBytes, formatSeconds } from '../units.js';

const AFTER = `
Small files that are stored together share a stripe, and its space is given back as a whole. Where at most half of a stripe is
still needed, the peer stores that anew, together with what is left of others, four times a day, when at least 4 MiB come free.
The old places are given back a day later, when all homes of the user know: who reads there meanwhile is not disturbed.

Examples:
  shoal compact                     how much is not needed of stripes that are, as of the last look
  shoal compact --now               look now, and store anew what is needed, however little comes free
  shoal compact --now --give-back   do not wait a day for who may be reading
  shoal compact --json
`;

interface CompactOptions {
  readonly now?: true;
  readonly giveBack?: true;
}

export function defineCompact(command: Command, runtime: Runtime): void {
  command
    .option('--now', 'look for such stripes now, and store anew what is needed of them')
    .option('--give-back', 'with --now: give the old places back as soon as the homes of the user know')
    .addHelpText('after', AFTER)
    .action(async (options: CompactOptions, invoked: Command) => {
      if (options.giveBack === true && options.now !== true) {
        throw new StorageError('INVALID_ARGUMENT', 'Nothing is moved without --now: shoal compact --now --give-back');
      }
      await using invocation = new Invocation(invoked, runtime);
      if (options.now === true) {
        const done = await compact(invocation, options.giveBack === true);
        invocation.result(done, () => summary(done));
      } else {
        const state = await invocation.client.compaction();
        invocation.result(state, () => describe(state));
      }
    });
}

async function compact(invocation: Invocation, giveBack: boolean): Promise<CompactionDone> {
  for await (const outcome of invocation.client.compactNow(giveBack)) {
    if (outcome.event === 'done') return outcome;
    invocation.result(outcome, () => `${moved(outcome)} …`);
  }
  throw new StorageError('UNAVAILABLE', 'The peer stopped. Nothing is lost: run it again for the rest.');
}

function moved({ stripes, movedBytes, deadBytes }: CompactedReply): string {
  return `${formatBytes(movedBytes)} stored anew; ${count(stripes, 'stripe')} with ${formatBytes(deadBytes)} that nobody needs can go`;
}

function summary(done: CompactionDone): string {
  const { stripes, movedBytes, passedOver, waiting } = done;
  const lines = [stripes + movedBytes === 0 ? 'There was nothing to be stored anew.' : `${moved(done)}.`];
  if (passedOver > 0)
    lines.push(
      `${count(passedOver, 'stripe')} ${passedOver === 1 ? 'stays as it is' : 'stay as they are'}: in use, or not to be read now.`,
    );
  if (waiting > 0) lines.push(waitingLine(waiting));
  return lines.join('\n');
}

function waitingLine(waiting: number): string {
  const stripes = waiting === 1 ? '1 stripe that nobody needs is' : `${String(waiting)} stripes that nobody needs are`;
  return `${stripes} not given back yet: readers may be there, or homes of the user have not heard of it.`;
}

function describe({ looked, stripes, liveBytes, deadBytes, waiting }: CompactionReply): string {
  const lines: string[] = [];
  if (looked === null) lines.push('This peer has not looked yet; "shoal compact --now" does.');
  else {
    const ago = formatSeconds(Math.max(0, Date.now() - Date.parse(looked)) / 1000);
    lines.push(
      stripes === 0
        ? `As of ${ago} ago, most of every stripe is needed.`
        : `As of ${ago} ago, ${count(stripes, 'stripe')} hold ${formatBytes(deadBytes)} that nobody needs, and ${formatBytes(liveBytes)} that somebody does.`,
    );
  }
  if (waiting > 0) lines.push(waitingLine(waiting));
  return lines.join('\n');
}
