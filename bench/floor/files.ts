import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { DISK_IO_BYTES, MAX_CHUNK_BYTES } from '../../src/limits.js';
import type { Work } from './cpu-per-gib.js';

const piece = randomBytes(DISK_IO_BYTES);

/** Synchronous calls: the thread pool would add a trip to each, which is no work of the disk's. */
function writeFile(path: string, bytes: number, options: { readonly sync: boolean }): void {
  const file = openSync(path, 'w');
  try {
    for (let done = 0; done < bytes; done += piece.length) writeSync(file, piece);
    if (options.sync) fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** New files of one chunk each, every one on the disk before the next begins. */
export function storeWork(folder: string): Work {
  const chunks = join(folder, 'chunks');
  return (bytes) => {
    mkdirSync(chunks, { recursive: true });
    for (let done = 0; done < bytes; done += MAX_CHUNK_BYTES) {
      writeFile(join(chunks, String(done)), MAX_CHUNK_BYTES, { sync: true });
    }
    rmSync(chunks, { recursive: true });
  };
}

/** One new file, left to the page cache. */
export function writeWork(folder: string): Work {
  const path = join(folder, 'written');
  return (bytes) => {
    writeFile(path, bytes, { sync: false });
    rmSync(path);
  };
}

/** From the page cache, where whatever was just put or stored still is. */
export function readWork(folder: string): Work {
  const path = join(folder, 'read');
  const into = Buffer.allocUnsafe(DISK_IO_BYTES);
  let made = false;
  return (bytes) => {
    if (!made) writeFile(path, MAX_CHUNK_BYTES, { sync: false });
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
