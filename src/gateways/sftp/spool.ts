import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { StorageError, wrapError } from '../../errors.js';
import { SPOOL_BLOCK_BYTES, SPOOL_CHECK_BYTES } from '../../limits.js';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const SLOT_BYTES = NONCE_BYTES + SPOOL_BLOCK_BYTES + TAG_BYTES;

export interface SpoolOptions {
  /** Of the peer's home, made when missing. */
  readonly folder: string;
  /** Free disk that is left to others. */
  readonly reserveBytes: number;
  /** Of the disk of the folder. Absent: the system is asked. */
  readonly freeBytes?: () => Promise<number>;
}

/** Removes what a process that was killed between making a spool and unlinking it has left: nobody has the key. */
export async function clearSpools(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) await rm(join(folder, name), { force: true });
  } catch (error) {
    throw wrapError(error, `Emptying ${folder}`);
  }
}

/**
 * Blocks of SPOOL_BLOCK_BYTES on the local disk, in any order, each sealed under a key that is in memory only, in a file that
 * has no name any more: what is left of it on the disk is noise, and goes when the process does. ChaCha20-Poly1305 with the
 * number of the writing as nonce, which never repeats under one key, and the number of the block as associated data.
 */
export class Spool implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #options: SpoolOptions;
  readonly #key = randomBytes(KEY_BYTES);
  #writings = 0;
  #uncheckedBytes = SPOOL_CHECK_BYTES;
  #closing: Promise<void> | undefined;

  private constructor(file: FileHandle, options: SpoolOptions) {
    this.#file = file;
    this.#options = options;
  }

  /** @throws StorageError */
  static async open(options: SpoolOptions): Promise<Spool> {
    const path = join(options.folder, randomBytes(16).toString('hex'));
    try {
      const file = await open(path, 'wx+', 0o600);
      await rm(path);
      return new Spool(file, options);
    } catch (error) {
      throw wrapError(error, 'Making a spool file');
    }
  }

  /** @param block SPOOL_BLOCK_BYTES @throws StorageError NO_SPACE */
  async write(index: number, block: Uint8Array): Promise<void> {
    await this.#demandSpace();
    const nonce = Buffer.alloc(NONCE_BYTES);
    nonce.writeBigUInt64BE(BigInt(++this.#writings), NONCE_BYTES - 8);
    const cipher = createCipheriv('chacha20-poly1305', this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(numberOf(index), { plaintextLength: SPOOL_BLOCK_BYTES });
    const slot = Buffer.concat([nonce, cipher.update(block), cipher.final(), cipher.getAuthTag()], SLOT_BYTES);
    try {
      for (let done = 0; done < SLOT_BYTES;) {
        const { bytesWritten } = await this.#file.write(slot, done, SLOT_BYTES - done, index * SLOT_BYTES + done);
        done += bytesWritten;
      }
    } catch (error) {
      throw explained(error);
    }
    this.#uncheckedBytes += SLOT_BYTES;
  }

  /** A block that was written. @throws StorageError CORRUPT when the disk has altered it */
  async read(index: number): Promise<Buffer> {
    const slot = Buffer.allocUnsafe(SLOT_BYTES);
    try {
      const { bytesRead } = await this.#file.read(slot, 0, SLOT_BYTES, index * SLOT_BYTES);
      if (bytesRead !== SLOT_BYTES) throw new StorageError('CORRUPT', 'A spool file of this peer was cut off.');
      const nonce = slot.subarray(0, NONCE_BYTES);
      const decipher = createDecipheriv('chacha20-poly1305', this.#key, nonce, { authTagLength: TAG_BYTES });
      decipher.setAAD(numberOf(index), { plaintextLength: SPOOL_BLOCK_BYTES });
      decipher.setAuthTag(slot.subarray(SLOT_BYTES - TAG_BYTES));
      return Buffer.concat([decipher.update(slot.subarray(NONCE_BYTES, SLOT_BYTES - TAG_BYTES)), decipher.final()]);
    } catch (error) {
      if (error instanceof StorageError) throw error;
      throw new StorageError('CORRUPT', 'A spool file of this peer does not hold what was written to it.', {
        cause: error,
      });
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#key.fill(0);
    await this.#file.close();
  }

  /** Early, so that the chunks of others and the catalog still find room. */
  async #demandSpace(): Promise<void> {
    if (this.#uncheckedBytes < SPOOL_CHECK_BYTES) return;
    const { folder, reserveBytes, freeBytes = () => freeBytesOf(folder) } = this.#options;
    if ((await freeBytes()) - SPOOL_CHECK_BYTES < reserveBytes) {
      throw new StorageError(
        'NO_SPACE',
        'The disk of this peer is too full to take what is written in the middle of files. Make room, or write files from their beginning to their end.',
      );
    }
    this.#uncheckedBytes = 0;
  }
}

async function freeBytesOf(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

function numberOf(index: number): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeBigUInt64BE(BigInt(index));
  return encoded;
}

function explained(error: unknown): StorageError {
  const wrapped = wrapError(error, 'Writing to a spool file');
  if (wrapped.code !== 'NO_SPACE') return wrapped;
  return new StorageError('NO_SPACE', 'The disk of this peer is full: make room on it.', { cause: error });
}
