import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { AuditReply, AuditsDone, AuditsReply } from '../../gateways/http/audit-api.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { parseCount } from '../quantities.js';
import { openQuietBar } from '../quiet-bar.js';
import type { Runtime } from '../runtime.js';
import { table } from '../table.js';
import { count, formatSeconds } from '../units.js';

const AFTER = `
A peer asks others for random segments of chunks that they should hold, and checks them against the chunk ids: a little at a
time (setting auditsPerHour), without a key. What is wrong is looked at twice. Who fails with several chunks, or answers
everything but audits, is distrusted: it gets no new chunks from this peer, is asked last, and its chunks are rebuilt on
others; until it has passed often enough. Without --now this says how that stands.

Examples:
  shoal audit
  shoal audit --now
  shoal audit --now --count 500 --json
`;

/** Audits of one run where nobody says otherwise. */
const DEFAULT_AUDITS = 20;

interface AuditOptions {
  readonly now?: true;
  readonly count: number;
}

export function defineAudit(command: Command, runtime: Runtime): void {
  command
    .option('--now', 'audit now, one after the other')
    .option('--count <n>', 'so many', parseCount, DEFAULT_AUDITS)
    .addHelpText('after', AFTER)
    .action(async (options: AuditOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      if (options.now === true) {
        const done = await auditNow(invocation, options.count);
        invocation.result(done, () => summary(done));
      } else {
        const state = await invocation.client.audits();
        invocation.result(state, () => describe(state));
      }
    });
}

/** With --json each audit is a line; a person is told of those that were not passed. */
async function auditNow(invocation: Invocation, audits: number): Promise<AuditsDone> {
  const bar = await openQuietBar(invocation, 'audits  {bar}  {percentage}%  {value} of {total}');
  bar?.setTotal(audits);
  try {
    for await (const outcome of invocation.client.auditNow(audits)) {
      if (outcome.event === 'done') return outcome;
      bar?.increment();
      invocation.result(outcome, () => (outcome.outcome === 'passed' ? '' : sentence(outcome)));
    }
  } finally {
    bar?.stop();
  }
  throw new StorageError(
    'UNAVAILABLE',
    'The peer stopped. What was found out is written down; run it again for the rest.',
  );
}

const WORDS: Readonly<Record<AuditReply['outcome'], string>> = {
  passed: 'holds',
  missing: 'has lost',
  corrupt: 'has damaged, or lies about,',
  unreachable: 'does not answer about',
  stalled: 'answers, but not about',
};

function sentence({ name, outcome, chunk, segment }: AuditReply): string {
  return `${printable(name)} ${WORDS[outcome]} segment ${String(segment)} of chunk ${chunk.slice(0, 12)}…`;
}

function summary({ audits, counts, distrusted }: AuditsDone): string {
  if (audits === 0) return 'There was nothing to audit: this peer knows of no chunk elsewhere.';
  const others = Object.entries(counts).filter(([outcome, amount]) => outcome !== 'passed' && amount > 0);
  const wrong = others.map(([outcome, amount]) => `${String(amount)} ${outcome}`).join(', ');
  const lines = [`${count(audits, 'audit')}: ${String(counts.passed)} passed${wrong === '' ? '' : `, ${wrong}`}.`];
  if (distrusted.length > 0) lines.push(`Distrusted: ${distrusted.map(printable).join(', ')}.`);
  return lines.join('\n');
}

function describe(state: AuditsReply): string {
  const { perHour, faults, suspects, peers } = state;
  const lines = [perHour === 0 ? 'Off: the setting auditsPerHour is 0.' : `${count(perHour, 'audit')} an hour.`];
  if (suspects > 0) lines.push(`${count(suspects, 'audit')} will be repeated: something was wrong at first sight.`);
  if (faults > 0) lines.push(`${count(faults, 'chunk')} found wrong and not repaired yet.`);
  const rows = peers.map(({ name, counts, trusted, gone, silentMs }) => [
    printable(name),
    gone ? 'gone' : trusted ? '' : 'distrusted',
    silentMs === 0 ? '' : formatSeconds(silentMs / 1000),
    ...[counts.passed, counts.missing, counts.corrupt, counts.stalled, counts.unreachable].map(String),
  ]);
  const heads = ['peer', '', 'silent for', 'passed', 'missing', 'corrupt', 'stalled', 'no answer'];
  return [...lines, '', table(heads, rows, ['left', 'left', ...heads.slice(2).map(() => 'right' as const)])].join('\n');
}
