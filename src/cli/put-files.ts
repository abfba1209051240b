import { createReadStream, statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { StorageError, wrapError, type ErrorCode } from '../errors.js';
import type { ImportItem, PutReply } from '../gateways/http/api.js';
import { MAX_STREAMED_FILES } from '../limits.js';
import type { ControlClient, FileAttributes, ImportOutcome } from './control-client.js';
import { runCrew } from './crew.js';
import { printable } from './printable.js';
import type { Progress } from './progress.js';
import { formatBytes } from './units.js';
import type { Failure, Found, LocalFile } from './walk.js';

/** What became of the files of one put. */
export interface PutReport {
  readonly files: PutReply[];
  readonly failed: Failure[];
  readonly skipped: { readonly local: string; readonly reason: string }[];
  /** Large files that were begun and have not ended yet: what was stored of them stays. */
  readonly uploads: Map<string, OpenUpload>;
  /** Bytes that earlier puts had stored. */
  resumedBytes: number;
}

export interface OpenUpload {
  readonly id: string;
  readonly local: string;
}

export interface PutSettings {
  /** Large files go on where an earlier put was broken off. */
  readonly resume: boolean;
}

/** What is wrong with more than the one file. */
const ENDS_ALL: ReadonlySet<ErrorCode> = new Set(['CANCELLED', 'UNAVAILABLE', 'LOCKED']);

/** Lines are sent in parts of about this many characters: fewer system calls, and the daemon still starts at once. */
const PART_CHARS = 16 * 1024;

/** Stores what `found` yields while it is still being found, and adds the outcome of each to `report`. */
export async function putFiles(
  client: ControlClient,
  found: Iterable<Found>,
  { report, progress, resume }: PutSettings & Pick<Sink, 'report' | 'progress'>,
): Promise<void> {
  const emptyFolders: string[] = [];
  const unreadable: Pick<LocalFile, 'local' | 'path'>[] = [];
  const lines = importLines(found, { report, emptyFolders, progress, resume });
  for await (const event of client.imports(lines)) {
    switch (event.event) {
      case 'progress':
        progress.advance(event.bytes);
        break;
      case 'upload':
        takeUpload(event, report, progress);
        break;
      case 'stored':
        report.uploads.delete(event.path);
        report.files.push(withoutEvent(event));
        break;
      case 'unreadable':
        report.uploads.delete(event.path);
        unreadable.push({ local: event.local, path: event.path });
        break;
      case 'failed':
        if (event.code === 'CONFLICT') report.uploads.delete(event.path); // it has changed: nothing is kept
        report.failed.push({ local: event.local, path: event.path, code: event.code, message: event.message });
        break;
      case 'done':
        break;
    }
  }
  await streamFiles(client, unreadable, report);
  for (const path of emptyFolders) await makeFolder(client, path);
}

/** Stores a stream of unknown length. */
export async function putStream(
  client: ControlClient,
  bytes: AsyncIterable<Uint8Array>,
  path: string,
  progress: Progress,
): Promise<PutReply> {
  return client.upload(path, counted(bytes, progress));
}

/** @throws StorageError, naming the file, also while it is read */
export async function* readLocal(local: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const part of createReadStream(local, { highWaterMark: 1 << 20 })) yield part as Uint8Array;
  } catch (error) {
    throw wrapError(error, `Reading ${local}`);
  }
}

function takeUpload(
  { id, local, path, storedBytes, changed }: Extract<ImportOutcome, { event: 'upload' }>,
  report: PutReport,
  progress: Progress,
): void {
  report.uploads.set(path, { id, local });
  if (changed) progress.note(`${printable(local)} has changed since it was stored in part: beginning anew.`);
  if (storedBytes === 0) return;
  report.resumedBytes += storedBytes;
  progress.skip(storedBytes);
  progress.note(`${printable(local)}: resuming at ${formatBytes(storedBytes)}.`);
}

interface Sink extends PutSettings {
  readonly report: PutReport;
  readonly emptyFolders: string[];
  readonly progress: Progress;
}

async function* importLines(
  found: Iterable<Found>,
  { report, emptyFolders, progress, resume }: Sink,
): AsyncGenerator<string> {
  let part = '';
  for (const thing of found) {
    if (thing.kind === 'file') {
      progress.expect(thing.bytes);
      part += importLine(thing, resume);
    } else if (thing.kind === 'empty-folder') emptyFolders.push(thing.path);
    else if (thing.kind === 'skipped') report.skipped.push({ local: thing.local, reason: thing.reason });
    else report.failed.push({ local: thing.local, path: thing.path, code: thing.code, message: thing.message });
    if (part.length >= PART_CHARS) {
      yield part;
      part = '';
      await nextTurn(); // the walk is synchronous: let the replies and Ctrl-C in
    }
  }
  if (part !== '') yield part;
}

function importLine({ local, path, device, inode, bytes, modifiedMs, mode }: LocalFile, resume: boolean): string {
  const item: ImportItem = { local, path, device, inode, bytes, modifiedMs, mode, ...(!resume && { resume }) };
  return `${JSON.stringify(item)}\n`;
}

function withoutEvent({ path, version, bytes, stripes, missingChunks }: PutReply): PutReply {
  return { path, version, bytes, stripes, missingChunks };
}

/** The daemon lives in another container or under another user: send it the bytes. */
async function streamFiles(
  client: ControlClient,
  files: readonly Pick<LocalFile, 'local' | 'path'>[],
  report: PutReport,
): Promise<void> {
  await runCrew(MAX_STREAMED_FILES, files, async ({ local, path }) => {
    try {
      report.files.push(await client.upload(path, readLocal(local), attributesOf(local)));
    } catch (error) {
      if (!StorageError.is(error) || ENDS_ALL.has(error.code)) throw error;
      report.failed.push({ local, path, code: error.code, message: error.message });
    }
  });
}

function attributesOf(local: string): FileAttributes {
  try {
    const { mtimeMs, mode } = statSync(local);
    return { modifiedMs: Math.floor(mtimeMs), mode: mode & 0o7777 };
  } catch (error) {
    throw wrapError(error, `Reading ${local}`);
  }
}

async function makeFolder(client: ControlClient, path: string): Promise<void> {
  try {
    await client.makeFolder(path);
  } catch (error) {
    if (!StorageError.is(error, 'ALREADY_EXISTS')) throw error; // the folder of an earlier put
  }
}

async function* counted(bytes: AsyncIterable<Uint8Array>, progress: Progress): AsyncGenerator<Uint8Array> {
  for await (const part of bytes) {
    yield part;
    progress.expect(part.length);
    progress.advance(part.length);
  }
}
