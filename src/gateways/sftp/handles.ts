import { StorageError } from '../../errors.js';
import { MAX_SFTP_HANDLES } from '../../limits.js';
import type { ShownEntry } from './attributes.js';
import type { OpenFile } from './open-file.js';
import { ReadWindow, type ReadWindows } from './read-window.js';
import type { Session } from '../../catalog/catalog.js';

export interface FileHandleOptions {
  readonly file: OpenFile;
  readonly read: boolean;
  readonly write: boolean;
  /** Whatever offset is said, at the end. */
  readonly append: boolean;
}

/** A file as one client has it open. */
export class FileHandle {
  readonly file: OpenFile;
  readonly isWritable: boolean;
  readonly #options: FileHandleOptions;
  readonly #reading: { readonly session: () => Session; readonly windows: ReadWindows };
  #window: ReadWindow | undefined;

  constructor(options: FileHandleOptions, reading: { readonly session: () => Session; readonly windows: ReadWindows }) {
    this.file = options.file;
    this.isWritable = options.write;
    this.#options = options;
    this.#reading = reading;
  }

  /** @returns nothing at the end of the file */
  async read(offset: number, bytes: number): Promise<readonly Uint8Array[]> {
    if (!this.#options.read) throw new StorageError('PERMISSION_DENIED', 'The file was not opened for reading.');
    const stored = this.file.readable;
    if (stored === undefined) return this.file.read(offset, bytes);
    if (this.#window?.content !== stored) {
      void this.#window?.close();
      this.#window = new ReadWindow(stored, this.#reading);
    }
    return this.#window.read(offset, bytes);
  }

  async write(offset: number, data: Buffer): Promise<void> {
    this.demandWritable();
    await this.file.write(this.#options.append ? undefined : offset, data);
  }

  demandWritable(): void {
    if (!this.isWritable) throw new StorageError('PERMISSION_DENIED', 'The file was not opened for writing.');
  }

  async close(): Promise<void> {
    await this.#window?.close();
  }
}

/** A folder that is being listed: as it was when it was opened. */
export interface FolderHandle {
  readonly path: string;
  readonly names: readonly { readonly name: string; readonly entry: ShownEntry }[];
  /** How many of them were told. */
  told: number;
}

export type Handle = FileHandle | FolderHandle;

/** What one channel has open. */
export class Handles {
  readonly #open = new Map<string, Handle>();
  #next = 0;
  /** Places that were promised to what is being opened. */
  #promised = 0;

  get size(): number {
    return this.#open.size;
  }

  /** @throws StorageError LIMIT_EXCEEDED */
  async add(open: () => Promise<Handle>): Promise<Buffer> {
    if (this.#open.size + this.#promised >= MAX_SFTP_HANDLES) {
      throw new StorageError(
        'LIMIT_EXCEEDED',
        `This client has ${String(MAX_SFTP_HANDLES)} files open, and may not open more. Close some first.`,
      );
    }
    this.#promised++;
    try {
      const handle = await open();
      const name = Buffer.alloc(4);
      name.writeUInt32BE(this.#next++ % 2 ** 32);
      this.#open.set(name.toString('latin1'), handle);
      return name;
    } finally {
      this.#promised--;
    }
  }

  file(name: Buffer): FileHandle {
    const handle = this.#open.get(name.toString('latin1'));
    if (handle instanceof FileHandle) return handle;
    throw unknown();
  }

  folder(name: Buffer): FolderHandle {
    const handle = this.#open.get(name.toString('latin1'));
    if (handle !== undefined && !(handle instanceof FileHandle)) return handle;
    throw unknown();
  }

  any(name: Buffer): Handle {
    const handle = this.#open.get(name.toString('latin1'));
    if (handle === undefined) throw unknown();
    return handle;
  }

  /** @returns what it stood for */
  take(name: Buffer): Handle {
    const key = name.toString('latin1');
    const handle = this.#open.get(key);
    if (handle === undefined) throw unknown();
    this.#open.delete(key);
    return handle;
  }

  takeAll(): Handle[] {
    const all = [...this.#open.values()];
    this.#open.clear();
    return all;
  }
}

function unknown(): StorageError {
  return new StorageError('INVALID_ARGUMENT', 'There is no such handle: it was closed, or never opened.');
}
