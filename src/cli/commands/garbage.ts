import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { GarbageDone, GarbageReply, HeldReply, WaitingReply } from '../../gateways/http/garbage-api.js';
import type { GarbageOutcome } from '../control-client.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import type { Runtime } from '../runtime.js';
import { table } from '../table.js';
import { count, formatBytes, formatSeconds } from '../units.js';

const AFTER = `
Chunks of what was removed for ever are deleted by each peer that holds them; one that is away is told when it is back. What
lies at peers and no file refers to, be it that a note was lost or a peer came back after months, is found by their
inventories, once a day, and deleted a week later, when every peer of the network has said that it needs nothing of it. What lay
there before this peer began to look, it does not know; it may be of files that only "shoal recover" would find. That is
deleted with --old alone.

Examples:
  shoal garbage                  what waits for which peer, and what lies there for nothing
  shoal garbage --now            ask all peers now
  shoal garbage --now --old      also what was there before this peer watched
  shoal garbage --json
`;

const DAY_MS = 24 * 60 * 60 * 1000;

interface GarbageOptions {
  readonly now?: true;
  readonly old?: true;
}

export function defineGarbage(command: Command, runtime: Runtime): void {
  command
    .option('--now', 'ask all peers what they hold, and delete what may be deleted')
    .option('--old', 'with --now: also what was there before this peer watched')
    .addHelpText('after', AFTER)
    .action(async (options: GarbageOptions, invoked: Command) => {
      if (options.old === true && options.now !== true) {
        throw new StorageError('INVALID_ARGUMENT', 'Nothing is deleted without --now: shoal garbage --now --old');
      }
      await using invocation = new Invocation(invoked, runtime);
      if (options.now === true) {
        const done = await collect(invocation, options.old === true);
        invocation.result(done, () => summary(done));
      } else {
        const state = await invocation.client.garbage();
        invocation.result(state, () => describe(state));
      }
    });
}

/** With --json each peer is a line. */
async function collect(invocation: Invocation, old: boolean): Promise<GarbageDone> {
  for await (const outcome of invocation.client.collectGarbage(old)) {
    if (outcome.event === 'done') return outcome;
    invocation.result(outcome, () => sentence(outcome));
  }
  throw new StorageError('UNAVAILABLE', 'The peer stopped. What was begun goes on; run it again for the rest.');
}

function sentence({ name, chunks, bytes, failure }: Extract<GarbageOutcome, { event: 'peer' }>): string {
  const why = failure === null ? '' : `; it told no more: ${failure.message}`;
  return `${printable(name)} holds ${count(chunks, 'chunk')} (${formatBytes(bytes)})${printable(why)}`;
}

function summary({ chunks, bytes, awaited }: GarbageDone): string {
  const lines = [
    chunks === 0
      ? 'Nothing is deleted now; "shoal garbage" says what is known.'
      : `${count(chunks, 'chunk')} (${formatBytes(bytes)}) that no file refers to are being deleted: "shoal garbage" says what waits.`,
  ];
  if (awaited.length > 0) lines.push(awaitedLine(awaited));
  return lines.join('\n');
}

function awaitedLine(awaited: readonly string[]): string {
  return `Other peers have to say first that they need nothing of it: ${awaited.map(printable).join(', ')}.`;
}

function describe(state: GarbageReply): string {
  return [...waitingLines(state.waiting), '', ...strayLines(state)].join('\n');
}

function waitingLines(waiting: readonly WaitingReply[]): string[] {
  if (waiting.length === 0) return ['Every peer has deleted what it was told to.'];
  const rows = waiting.map(({ name, chunks, since, tries, reason }) => [
    printable(name),
    String(chunks),
    since === null ? '' : ago(since),
    String(tries),
    reason === null ? 'not told yet: its user has to be unlocked here' : printable(reason),
  ]);
  const heads = ['peer', 'chunks', 'waiting for', 'tries', 'because'];
  return ['To be deleted:', table(heads, rows, ['left', 'right', 'right', 'right', 'left'])];
}

function strayLines({ held, watched, looksLost, awaited, graceMs }: GarbageReply): string[] {
  if (held.length === 0) return ['No peer has been asked yet what it holds.'];
  const lines = watched === null ? ['Not every peer has told yet what it holds.'] : [];
  const rows = held.map((peer) => [
    printable(peer.name),
    peer.listed === null ? 'never' : ago(peer.listed),
    `${String(peer.chunks)} (${formatBytes(peer.bytes)})`,
    amount(peer.strayChunks, peer.strayBytes),
    amount(peer.oldChunks, peer.oldBytes),
    printable(peer.failure ?? ''),
  ]);
  const heads = ['peer', 'listed ago', 'chunks', 'no file has', 'from before', ''];
  lines.push(table(heads, rows, ['left', 'right', 'right', 'right', 'right', 'left']));
  if (looksLost) lines.push('That is so much that a catalog may have been lost: nothing is deleted by itself.');
  else if (held.some(isToBeDeleted)) {
    lines.push(`What no file has is deleted when it has been known for ${formatAge(graceMs)}.`);
  }
  if (looksLost || held.some(({ oldChunks }) => oldChunks > 0)) {
    lines.push(
      'What was there from before is kept: "shoal recover --dry-run" says what it was, "shoal garbage --now --old" deletes it.',
    );
  }
  if (awaited.length > 0) lines.push(awaitedLine(awaited));
  return lines;
}

function isToBeDeleted({ strayChunks, oldChunks }: HeldReply): boolean {
  return strayChunks > oldChunks;
}

function amount(chunks: number, bytes: number): string {
  return chunks === 0 ? '' : `${String(chunks)} (${formatBytes(bytes)})`;
}

function ago(time: string): string {
  return formatAge(Math.max(0, Date.now() - Date.parse(time)));
}

function formatAge(ms: number): string {
  const days = Math.floor(ms / DAY_MS);
  return days < 2 ? formatSeconds(ms / 1000) : count(days, 'day');
}
