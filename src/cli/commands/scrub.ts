import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { ScrubDone, ScrubReply } from '../../gateways/http/scrub-api.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { openProgress } from '../progress.js';
import type { Runtime } from '../runtime.js';
import { count, formatBytes, formatTime } from '../units.js';

const AFTER = `
A peer reads its chunks again and again by itself, each within 30 days (settings scrubDays and scrubMegabytes), and compares
them with their ids. A segment that has rotted is made anew from the same segment of other peers' chunks: that moves some
hundred KiB, not files. Without --now this says how that stands. With --now everything is read at once, as fast as the disk
gives it, with pauses for transfers. Ctrl-C ends it, and what is mended stays mended.

Examples:
  shoal scrub
  shoal scrub --now
  shoal scrub --now --json
`;

export function defineScrub(command: Command, runtime: Runtime): void {
  command
    .option('--now', 'read everything now')
    .addHelpText('after', AFTER)
    .action(async (options: { readonly now?: true }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      if (options.now === true) {
        const done = await scrubNow(invocation);
        invocation.result(done, () => summary(done));
      } else {
        const state = await invocation.client.scrub();
        invocation.result(state, () => describe(state));
      }
    });
}

async function scrubNow(invocation: Invocation): Promise<ScrubDone> {
  const progress = await openProgress(invocation, { label: 'scrub', lengthKnown: true });
  try {
    for await (const outcome of invocation.client.scrubNow()) {
      if (outcome.event === 'done') return outcome;
      if (outcome.event === 'begin') progress.expect(outcome.bytes);
      else progress.advance(outcome.bytes);
    }
  } finally {
    progress.stop();
  }
  throw new StorageError('UNAVAILABLE', 'The peer stopped. What was mended stays mended; run it again for the rest.');
}

function summary({ totals, words, damaged }: ScrubDone): string {
  const read = `${count(totals.chunks, 'chunk')} (${formatBytes(totals.bytes)}) read`;
  const left = damaged === 0 ? [] : [`${count(damaged, 'chunk')} could not be mended yet: see \`shoal scrub\`.`];
  return [`${read}: ${words === '' ? 'nothing was wrong' : words}.`, ...left].join('\n');
}

const PHASES: Readonly<Record<ScrubReply['phase'], string>> = {
  off: 'Off: the setting scrubMegabytes is 0. `shoal scrub --now` reads all the same.',
  waiting: 'Waits for its time.',
  reading: 'Reads.',
  asked: 'Reads everything, because somebody asked.',
};

function describe(state: ScrubReply): string {
  const { phase, days, bytesPerSecond, oldestRead, totals, words, damaged, damages } = state;
  const lines = [PHASES[phase]];
  if (phase !== 'off') {
    lines.push(
      `Every chunk is read once in ${count(days, 'day')}, with ${formatBytes(bytesPerSecond)} a second at most.`,
    );
  }
  if (oldestRead !== null) lines.push(`Every chunk was read since ${formatTime(oldestRead)}.`);
  const read = `${count(totals.chunks, 'chunk')} (${formatBytes(totals.bytes)}) read`;
  lines.push(`Since the peer was started: ${read}; ${words === '' ? 'nothing was wrong' : words}.`);
  if (damaged > 0) lines.push(`${count(damaged, 'chunk')} could not be mended yet:`);
  for (const { chunk, reason, tries, nextTry } of damages) {
    const tried = `tried ${count(tries, 'time')}, next ${formatTime(nextTry)}`;
    lines.push(`  ${chunk.slice(0, 12)}  ${printable(reason)} (${tried})`);
  }
  return lines.join('\n');
}
