import type { Command } from 'commander';
import { StorageError, wrapError } from '../../errors.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { openProgress } from '../progress.js';
import { putFiles, putStream, readLocal, type PutReport, type PutSettings } from '../put-files.js';
import { findAll, planPut, type PutPlan } from '../put-sources.js';
import { parseRemotePath } from '../remote-path.js';
import type { Input, Runtime } from '../runtime.js';
import { are, count, formatBytes, formatSeconds, formatSpeed } from '../units.js';

const AFTER = `
LOCAL is a file, a folder (with everything in it, but not through symbolic links) or - for standard input.
As with cp -r, it goes into /remote when that is a folder or ends in "/", and becomes /remote otherwise.

What a put that is broken off, by Ctrl-C, a lost connection or a restart, has stored of a file of 64 MiB or more is kept for
seven days, and the same put goes on with it: see "shoal uploads --help".

Examples:
  shoal put cat.jpg /photos/
  shoal put photos /backup/photos
  pg_dump shop | shoal put - /backup/shop.sql
`;

/** Notes about single files on a terminal; the rest is in --json. */
const SHOWN_NOTES = 10;

export function definePut(command: Command, runtime: Runtime): void {
  command
    .argument('<paths...>', 'LOCAL... /remote')
    .usage('[options] LOCAL... /remote')
    .option('--no-resume', 'begin anew, and keep nothing of what is broken off')
    .addHelpText('after', AFTER)
    .action(async (paths: string[], settings: PutSettings, invoked: Command) => {
      const remote = paths.at(-1);
      const locals = paths.slice(0, -1);
      if (remote === undefined || locals.length === 0) {
        throw new StorageError('INVALID_ARGUMENT', 'Give what to store and where: shoal put LOCAL /remote.');
      }
      await using invocation = new Invocation(invoked, runtime);
      const target = parseRemotePath(remote);
      const found = target.path === '/' ? 'folder' : (await invocation.client.statIfThere(target.path))?.type;
      const plan = planPut(locals, { ...target, found });
      const started = performance.now();
      const report = await put(invocation, plan, settings);
      const seconds = (performance.now() - started) / 1000;
      const single = locals.length === 1 && plan.roots.every((root) => root.kind !== 'folder');
      if (single) showSingle(invocation, report, seconds);
      else showMany(invocation, report, seconds);
    });
}

async function put(invocation: Invocation, plan: PutPlan, { resume }: PutSettings): Promise<PutReport> {
  const report: PutReport = {
    files: [],
    failed: [...plan.failed],
    skipped: [],
    uploads: new Map(),
    resumedBytes: 0,
  };
  const lengthKnown = plan.roots.every((root) => root.kind !== 'stream');
  const progress = await openProgress(invocation, { label: 'put', lengthKnown });
  try {
    if (plan.roots.some((root) => root.kind !== 'stream')) {
      await putFiles(invocation.client, findAll(plan.roots), { report, progress, resume });
    }
    for (const root of plan.roots) {
      if (root.kind !== 'stream') continue;
      const bytes = root.local === '-' ? readInput(invocation.runtime.stdin) : readLocal(root.local);
      report.files.push(await putStream(invocation.client, bytes, root.path, progress));
    }
    return report;
  } finally {
    progress.stop();
    noteSome(
      invocation,
      [...report.uploads].map(([path, { id, local }]) => {
        return `What was stored of ${printable(local)} is kept for seven days, and the same command goes on with it. To give it up: shoal uploads rm ${id.slice(0, 12)} (${printable(path)}).`;
      }),
    );
  }
}

async function* readInput(stdin: Input): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of stdin) yield typeof part === 'string' ? Buffer.from(part) : part;
  } catch (error) {
    throw wrapError(error, 'Reading standard input');
  }
}

function showSingle(invocation: Invocation, report: PutReport, seconds: number): void {
  const [failure] = report.failed;
  if (failure !== undefined) throw new StorageError(failure.code, failure.message);
  const [file] = report.files;
  if (file === undefined)
    throw new StorageError('INTERNAL', 'The peer said neither that the file is stored nor why not.');
  const degraded =
    file.missingChunks === 0 ? '' : ` It is degraded: ${count(file.missingChunks, 'chunk')} could not be placed yet.`;
  const { resumedBytes } = report;
  invocation.result({ ...file, seconds, resumedBytes }, () => {
    return `${printable(file.path)}: ${formatBytes(file.bytes)} in ${formatSeconds(seconds)} (${formatSpeed(file.bytes - resumedBytes, seconds)}).${degraded}`;
  });
}

function showMany(invocation: Invocation, { files, failed, skipped, resumedBytes }: PutReport, seconds: number): void {
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const degraded = files.filter((file) => file.missingChunks > 0).length;
  noteSome(
    invocation,
    skipped.map(({ local, reason }) => `Skipped ${printable(local)}: ${reason}.`),
  );
  noteSome(
    invocation,
    failed.length === 1
      ? []
      : failed.map(({ local, message }) => `Not stored: ${printable(local)}. ${printable(message)}`),
  );
  if (degraded > 0)
    invocation.note(
      `${count(degraded, 'file')} ${are(degraded)} degraded: some of their chunks could not be placed yet.`,
    );
  invocation.result({ files, failed, skipped, bytes, seconds, resumedBytes }, () => {
    return `${count(files.length, 'file')}, ${formatBytes(bytes)} in ${formatSeconds(seconds)} (${formatSpeed(Math.max(0, bytes - resumedBytes), seconds)}).`;
  });
  const [first] = failed;
  if (first === undefined) return;
  const stored = files.length === 0 ? '' : ` (${count(files.length, 'file')} ${files.length === 1 ? 'was' : 'were'})`;
  throw new StorageError(
    first.code,
    `${count(failed.length, 'file')} could not be stored${stored}: ${printable(first.message)}`,
  );
}

function noteSome(invocation: Invocation, notes: readonly string[]): void {
  for (const note of notes.slice(0, SHOWN_NOTES)) invocation.note(note);
  if (notes.length > SHOWN_NOTES) invocation.note(`… and ${String(notes.length - SHOWN_NOTES)} more.`);
}
