import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { wrapError } from '../../errors.js';

/** Blocks written by one system call: 1 MiB. */
const WRITE_BLOCKS = 16;
/** Below this a file is written in line: a trip through the thread pool costs more than the system calls. */
const INLINE_BYTES = 256 * 1024;
/** Several stripes of a file are written at once, so whoever comes first makes it. It lies in a staging folder of ours. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
const MODE = 0o600;

export interface Output {
  readonly file: string;
  readonly position: number;
}

/**
 * Writes blocks one after the other from `position` on, a few at a time: blocks that wait for the whole of an extent would
 * outlive the young generation of the heap, and only a full collection would free them.
 *
 * @param bytes of all blocks together
 * @throws StorageError NO_SPACE and what else the system says; what the iterator throws
 */
export async function writeOutput(blocks: Iterable<Uint8Array>, bytes: number, output: Output): Promise<void> {
  if (bytes <= INLINE_BYTES) writeInline(blocks, output);
  else await writePieces(blocks, output);
}

function writeInline(blocks: Iterable<Uint8Array>, { file, position }: Output): void {
  const descriptor = doing(file, () => openSync(file, FLAGS, MODE));
  try {
    let at = position;
    for (const block of blocks) {
      for (let done = 0; done < block.length;) {
        done += doing(file, () => writeSync(descriptor, block, done, block.length - done, at + done));
      }
      at += block.length;
    }
  } finally {
    closeSync(descriptor);
  }
}

async function writePieces(blocks: Iterable<Uint8Array>, { file, position }: Output): Promise<void> {
  const handle = await open(file, FLAGS, MODE).catch((error: unknown) => {
    throw wrapError(error, `Writing ${file}`);
  });
  try {
    let at = position;
    for (const group of groups(blocks)) {
      at += await writeAll(handle, group, at).catch((error: unknown) => {
        throw wrapError(error, `Writing ${file}`);
      });
    }
  } finally {
    await handle.close();
  }
}

function* groups(blocks: Iterable<Uint8Array>): Generator<Uint8Array[]> {
  let group: Uint8Array[] = [];
  for (const block of blocks) {
    group.push(block);
    if (group.length < WRITE_BLOCKS) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

function doing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw wrapError(error, `Writing ${file}`);
  }
}

async function writeAll(handle: FileHandle, blocks: readonly Uint8Array[], position: number): Promise<number> {
  const bytes = blocks.reduce((sum, block) => sum + block.length, 0);
  let { bytesWritten } = await handle.writev(blocks, position);
  // A disk that fills up takes a part first; the next attempt says why.
  const rest = bytesWritten < bytes ? Buffer.concat(blocks) : undefined;
  while (rest !== undefined && bytesWritten < bytes) {
    bytesWritten += (await handle.write(rest, bytesWritten, bytes - bytesWritten, position + bytesWritten))
      .bytesWritten;
  }
  return bytes;
}
