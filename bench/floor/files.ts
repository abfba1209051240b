import { randomFillSync } from 'node:crypto';
import { closeSync, constants, fsyncSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DISK_IO_BYTES, MAX_CHUNK_BYTES } from '../../src/limits.js';
import { AlignedMemory, DIRECT_FLAG } from '../../src/store/aligned-memory.js';
import type { Work } from './cpu-per-gib.js';

/** Aligned, as writing past the page cache wants it. */
const piece = randomFillSync(new AlignedMemory().take());
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;

interface WriteOptions {
  readonly sync: boolean;
  /** Past the page cache, where the file system lets us. */
  readonly direct: boolean;
}

/** Synchronous calls: the thread pool would add a trip to each, which is no work of the disk's. */
function writeFile(path: string, bytes: number, options: WriteOptions): void {
  const file = options.direct ? openDirect(path) : openSync(path, FLAGS);
  try {
    for (let done = 0; done < bytes; done += piece.length) writeSync(file, piece);
    if (options.sync) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function openDirect(path: string): number {
  try {
    return openSync(path, FLAGS | DIRECT_FLAG);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return openSync(path, FLAGS);
    throw error;
  }
}

/** New files of one chunk each, every one on the disk before the next begins. */
export function storeWork(folder: string): Work {
  const chunks = join(folder, 'chunks');
  return (bytes) => {
    mkdirSync(chunks, { recursive: true });
    for (let done = 0; done < bytes; done += MAX_CHUNK_BYTES) {
      writeFile(join(chunks, String(done)), MAX_CHUNK_BYTES, { sync: true, direct: true });
    }
    rmSync(chunks, { recursive: true });
  };
}

/** One new file, as a get writes one. @param direct past the page cache, as it does with large ones */
export function writeWork(folder: string, direct: boolean): Work {
  const path = join(folder, 'written');
  return (bytes) => {
    writeFile(path, bytes, { sync: false, direct });
    rmSync(path);
  };
}

/** From the page cache: the least that reading can cost. */
export function readWork(folder: string): Work {
  const path = join(folder, 'read');
  const into = Buffer.allocUnsafe(DISK_IO_BYTES);
  let made = false;
  return (bytes) => {
    if (!made) writeFile(path, MAX_CHUNK_BYTES, { sync: false, direct: false });
    made = true;
    const file = openSync(path, 'r');
    try {
      for (let done = 0; done < bytes; done += into.length) {
        readSync(file, into, 0, into.length, done % MAX_CHUNK_BYTES);
      }
    } finally {
      closeSync(file);
    }
  };
}
