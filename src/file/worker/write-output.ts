import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { assert, wrapError } from '../../errors.js';
import { DISK_IO_BYTES } from '../../limits.js';
import { ALIGNMENT_BYTES, AlignedMemory, DIRECT_FLAG, wholeBlocks } from '../../store/aligned-memory.js';

/** Below this a file is written in line: a trip through the thread pool costs more than the system calls. */
const INLINE_BYTES = 256 * 1024;
/** Several stripes of a file are written at once, so whoever comes first makes it. It lies in a staging folder of ours. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_NOFOLLOW;
const MODE = 0o600;

export interface Output {
  readonly file: string;
  readonly position: number;
  /** Past the system's cache, where the file system lets us: for files that would only push others out of it. */
  readonly direct: boolean;
}

/** Of this thread; two slabs for each extent that is being written. */
const memory = new AlignedMemory();

/**
 * Writes blocks one after the other from `position` on, while the next are opened.
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

async function writePieces(blocks: Iterable<Uint8Array>, { file, position, direct }: Output): Promise<void> {
  const aligned = direct && memory.aligned && position % ALIGNMENT_BYTES === 0;
  const wrapped = (error: unknown): never => {
    throw wrapError(error, `Writing ${file}`);
  };
  const handle = await (aligned ? openDirect(file) : open(file, FLAGS, MODE)).catch(wrapped);
  let writing: Promise<void> = Promise.resolve();
  try {
    let at = position;
    for (const { slab, bytes } of pieces(blocks)) {
      const former = writing;
      const place = at;
      writing = former
        .then(() => writePiece({ file, handle, aligned }, slab.subarray(0, bytes), place))
        .catch(wrapped)
        .finally(() => {
          memory.give(slab);
        });
      // Seen at the next piece, or at the end.
      writing.catch(() => undefined);
      at += bytes;
      await former;
    }
    await writing;
  } finally {
    await writing.catch(() => undefined);
    await handle.close();
  }
}

async function openDirect(file: string): Promise<FileHandle> {
  try {
    return await open(file, FLAGS | DIRECT_FLAG, MODE);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EINVAL')) throw error;
    return open(file, FLAGS, MODE);
  }
}

/** Collects blocks, which are copied: memory of their own would outlive the young generation and cost full collections. */
function* pieces(blocks: Iterable<Uint8Array>): Generator<{ readonly slab: Uint8Array; readonly bytes: number }> {
  let slab: Uint8Array | undefined;
  let bytes = 0;
  try {
    for (const block of blocks) {
      assert(block.length <= DISK_IO_BYTES, 'a block longer than a slab');
      if (slab !== undefined && bytes + block.length > DISK_IO_BYTES) {
        const full = slab;
        slab = undefined;
        yield { slab: full, bytes };
        bytes = 0;
      }
      slab ??= memory.take();
      slab.set(block, bytes);
      bytes += block.length;
    }
    const last = slab;
    slab = undefined;
    if (last !== undefined) yield { slab: last, bytes };
  } finally {
    if (slab !== undefined) memory.give(slab);
  }
}

interface Destination {
  readonly file: string;
  readonly handle: FileHandle;
  /** Only whole blocks may be written with the handle. */
  readonly aligned: boolean;
}

async function writePiece({ file, handle, aligned }: Destination, piece: Uint8Array, position: number): Promise<void> {
  const rest = aligned ? piece.length % ALIGNMENT_BYTES : 0;
  await writeAll(handle, piece.subarray(0, piece.length - rest), position);
  if (rest === 0) return;
  const buffered = await open(file, FLAGS, MODE);
  try {
    await writeAll(buffered, piece.subarray(-rest), position + piece.length - rest);
  } finally {
    await buffered.close();
  }
}

/** A disk that fills up takes a part first, of direct writes perhaps not whole blocks; the next attempt says why. */
async function writeAll(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += wholeBlocks(bytesWritten, bytes.length - done);
  }
}

function doing<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw wrapError(error, `Writing ${file}`);
  }
}
