import { execFile } from 'node:child_process';
import { open, readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { wrapError } from '../../src/errors.js';
import { parseAvailable } from './proc-stat.js';

/** What a put of a file writes, and the file itself. */
const TOUCHED_SHARE = 2.5;
/** Of the memory that is free: the rest is for the processes that are measured. */
const MEMORY_SHARE = 0.5;
const PIECE_BYTES = 2 ** 20;

const run = promisify(execFile);

/**
 * Fills the system's cache once and gives it back. A virtual machine pays for memory that it uses for the first time, and
 * nothing that is measured shall be the first.
 *
 * @param path of a scratch file, which is gone afterwards
 * @param bytes of the benchmark's largest file
 */
export async function touchMemory(path: string, bytes: number, signal: AbortSignal): Promise<void> {
  const available = parseAvailable(await readFile('/proc/meminfo', 'utf8')) ?? 0;
  const wanted = Math.min(bytes * TOUCHED_SHARE, available * MEMORY_SHARE);
  const piece = Buffer.alloc(PIECE_BYTES, 1);
  const file = await open(path, 'w');
  try {
    for (let done = 0; done < wanted; done += PIECE_BYTES) {
      signal.throwIfAborted();
      await file.write(piece);
    }
  } catch (error) {
    throw wrapError(error, `Writing ${path}`);
  } finally {
    await file.close();
    await rm(path);
  }
}

/** What was written before must not be brought to the disk during what is measured next. */
export async function settleDisk(): Promise<void> {
  await run('sync');
}
