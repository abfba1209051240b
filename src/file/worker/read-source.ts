import { closeSync, constants, fstatSync, openSync, readSync, type BigIntStats } from 'node:fs';
import { open } from 'node:fs/promises';
import { StorageError, wrapError } from '../../errors.js';
import type { LocalSource } from './protocol.js';

/** Read at once from a large file: large enough that the kernel reads ahead, small against a worker's memory. */
const READ_BYTES = 1024 * 1024;
/** Below this the three system calls are made in line: a trip through the thread pool costs more than they do. */
const INLINE_BYTES = 256 * 1024;

/** Not to wait for a writer, should the path have become a pipe. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

function changed(local: string): StorageError {
  return new StorageError(
    'CONFLICT',
    `${local} changed while it was being stored. Put it again when nothing writes to it.`,
  );
}

function check(stats: BigIntStats, source: LocalSource): void {
  if (stats.dev.toString() !== source.device || stats.ino.toString() !== source.inode || !stats.isFile()) {
    throw new StorageError('PERMISSION_DENIED', `This peer sees another file at ${source.local} than you do.`);
  }
  const same =
    Number(stats.size) === source.fileBytes && Number(stats.mtimeNs / 1_000_000n) === Math.trunc(source.modifiedMs);
  if (!same) throw changed(source.local);
}

/**
 * Reads [offset, offset + bytes) of a file and hands each piece to `take`, which must be done with it when it returns.
 *
 * @throws StorageError CONFLICT when the file is not, or no longer, the one that the put began with
 */
export async function readLocal(
  source: LocalSource,
  offset: number,
  bytes: number,
  take: (piece: Uint8Array) => void,
): Promise<void> {
  try {
    if (bytes <= INLINE_BYTES) readInline(source, offset, bytes, take);
    else await readPieces(source, offset, bytes, take);
  } catch (error) {
    throw wrapError(error, `Reading ${source.local}`);
  }
}

function readInline(source: LocalSource, offset: number, bytes: number, take: (piece: Uint8Array) => void): void {
  const descriptor = openSync(source.local, FLAGS);
  try {
    check(fstatSync(descriptor, { bigint: true }), source);
    const piece = Buffer.allocUnsafe(bytes);
    for (let done = 0; done < bytes;) {
      const count = readSync(descriptor, piece, done, bytes - done, offset + done);
      if (count === 0) throw changed(source.local);
      done += count;
    }
    check(fstatSync(descriptor, { bigint: true }), source);
    take(piece);
  } finally {
    closeSync(descriptor);
  }
}

async function readPieces(
  source: LocalSource,
  offset: number,
  bytes: number,
  take: (piece: Uint8Array) => void,
): Promise<void> {
  const handle = await open(source.local, FLAGS);
  try {
    check(await handle.stat({ bigint: true }), source);
    const piece = Buffer.allocUnsafe(READ_BYTES);
    for (let done = 0; done < bytes;) {
      const { bytesRead } = await handle.read(piece, 0, Math.min(READ_BYTES, bytes - done), offset + done);
      if (bytesRead === 0) throw changed(source.local);
      take(piece.subarray(0, bytesRead));
      done += bytesRead;
    }
    check(await handle.stat({ bigint: true }), source);
  } finally {
    await handle.close();
  }
}
