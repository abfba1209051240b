import { chmodSync, utimesSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, wrapError, type ErrorCode } from '../errors.js';
import { MAX_EXPORT_ITEMS, MAX_EXPORT_PATH_CHARS, MAX_STREAMED_FILES } from '../limits.js';
import type { ControlClient } from './control-client.js';
import { runCrew } from './crew.js';
import type { GetFile } from './get-plan.js';
import type { Progress } from './progress.js';
import type { Staging } from './staging.js';

export interface GetFailure {
  readonly path: string;
  readonly code: ErrorCode;
  readonly message: string;
}

export interface GetReport {
  /** File → where it waits in the staging folder. */
  readonly fetched: Map<GetFile, string>;
  readonly failed: GetFailure[];
  /** Bytes of all that was fetched. */
  bytes: number;
}

/** GET /v1/content does not say which permissions a file had. */
const STREAMED_MODE = 0o644;

interface Part {
  readonly files: readonly GetFile[];
  readonly version: string | undefined;
  readonly path: string;
  readonly proof: string;
}

/** Fetches into the staging folder: by the daemon itself where it sees the same disk, else streamed through here. */
export async function getFiles(
  client: ControlClient,
  files: readonly GetFile[],
  options: { readonly staging: Staging; readonly version: string | undefined; readonly progress: Progress },
): Promise<GetReport> {
  const { staging, version, progress } = options;
  const report: GetReport = { fetched: new Map(), failed: [], bytes: 0 };
  for (const file of files) progress.expect(file.bytes);
  let streaming = false;
  for (const batch of batches(files)) {
    const part = { files: batch, version, ...staging.openPart() };
    if (!streaming) streaming = !(await exportPart(client, part, report, progress));
    if (streaming) await streamPart(client, part, report, progress);
  }
  return report;
}

/** @returns false when the daemon cannot see the staging folder; nothing was fetched then */
async function exportPart(client: ControlClient, part: Part, report: GetReport, progress: Progress): Promise<boolean> {
  const version = part.version === undefined ? {} : { version: part.version };
  const items = part.files.map((file) => ({ path: file.remote, ...version }));
  const before = report.bytes;
  try {
    for await (const event of client.exports({ staging: part.path, proof: part.proof, items })) {
      if (event.event === 'progress') progress.advance(event.bytes);
      if (event.event === 'fetched') {
        const staged = join(part.path, String(event.item));
        settle(staged, event.modifiedMs, event.mode);
        arrived(report, part.files[event.item], staged, event.bytes);
      }
      if (event.event === 'failed') {
        const path = part.files[event.item]?.remote ?? '';
        report.failed.push({ path, code: event.code, message: event.message });
      }
    }
    return true;
  } catch (error) {
    if (StorageError.is(error, 'PERMISSION_DENIED') && report.bytes === before) return false;
    throw error;
  }
}

async function streamPart(client: ControlClient, part: Part, report: GetReport, progress: Progress): Promise<void> {
  await runCrew(MAX_STREAMED_FILES, part.files.entries(), async ([item, file]) => {
    const staged = join(part.path, String(item));
    try {
      const source = client.download(file.remote, { version: part.version });
      const bytes = await writeAll(staged, source, (length) => progress.advance(length));
      settle(staged, file.modifiedMs, STREAMED_MODE);
      arrived(report, file, staged, bytes);
    } catch (error) {
      // What is wrong with one file does not end the others; the end of the daemon or of the disk does.
      if (!StorageError.is(error, 'NOT_FOUND', 'CORRUPT', 'TOO_FEW_PEERS', 'UNSUPPORTED')) throw error;
      report.failed.push({ path: file.remote, code: error.code, message: error.message });
    }
  });
}

async function writeAll(
  path: string,
  source: AsyncIterable<Uint8Array>,
  wrote: (bytes: number) => void,
): Promise<number> {
  const file = await open(path, 'wx', 0o600).catch((error: unknown) => {
    throw wrapError(error, `Writing ${path}`);
  });
  let bytes = 0;
  try {
    for await (const part of source) {
      await file.appendFile(part).catch((error: unknown) => {
        throw wrapError(error, `Writing ${path}`);
      });
      bytes += part.length;
      wrote(part.length);
    }
  } finally {
    await file.close();
  }
  return bytes;
}

/** Time and permissions as they were when the file was put; set-user-id and its like stay behind. */
function settle(path: string, modifiedMs: number, mode: number): void {
  try {
    utimesSync(path, modifiedMs / 1000, modifiedMs / 1000);
    chmodSync(path, mode & 0o777);
  } catch (error) {
    throw wrapError(error, `Setting the time of ${path}`);
  }
}

function arrived(report: GetReport, file: GetFile | undefined, staged: string, bytes: number): void {
  if (file === undefined) throw new StorageError('INTERNAL', 'The peer sent a file that was not asked for.');
  report.fetched.set(file, staged);
  report.bytes += bytes;
}

function* batches(files: readonly GetFile[]): Generator<readonly GetFile[]> {
  let batch: GetFile[] = [];
  let chars = 0;
  for (const file of files) {
    if (batch.length === MAX_EXPORT_ITEMS || chars > MAX_EXPORT_PATH_CHARS) {
      yield batch;
      batch = [];
      chars = 0;
    }
    batch.push(file);
    chars += file.remote.length;
  }
  if (batch.length > 0) yield batch;
}
