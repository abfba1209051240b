import { randomBytes } from 'node:crypto';
import type { Attributes, Catalog, Entry, Session } from '../../src/catalog/catalog.js';
import { parseUserId, parseVersionId, type VersionId } from '../../src/chunk/ids.js';
import { StorageError } from '../../src/errors.js';
import type { ContentToPut, FileContent, StoredContent } from '../../src/gateways/sftp/content.js';

interface Stored {
  readonly version: VersionId;
  readonly bytes: Buffer;
  readonly modifiedMs: number;
  readonly mode: number;
}

const PART_BYTES = 50_000;
export const USER = parseUserId(randomBytes(32));
export const SESSION: Session = {
  ...{ token: 't', background: 'b', user: USER, name: 'ann', publicKey: new Uint8Array(32), generation: 1, kit: false },
};

/** Files of one user in memory, in the places of the catalog and of the pipeline: for what is above both. */
export class MemoryFiles implements FileContent {
  readonly files = new Map<string, Stored>();
  /** What the next puts fail with. */
  failure: StorageError | undefined;
  /** Bytes that were read of stored versions. */
  readBytes = 0;
  puts = 0;

  readonly catalog = {
    stat: async (_session: Session, path: string): Promise<Entry> => this.#entry(path),
    setAttributes: async (_session: Session, path: string, wished: Attributes): Promise<Entry> => {
      this.files.set(path, { ...this.#stored(path), ...wished, version: newVersion() });
      return this.#entry(path);
    },
  } as unknown as Catalog;

  async open(_session: Session, path: string): Promise<StoredContent> {
    const stored = this.#stored(path);
    const { version, bytes, modifiedMs, mode } = stored;
    const count = (read: number): void => {
      this.readBytes += read;
    };
    return {
      ...{ version, bytes: bytes.length, modifiedMs, mode },
      async *read(_reader, { from, to }, signal) {
        for (let at = from; at < to; at += PART_BYTES) {
          signal.throwIfAborted();
          const part = bytes.subarray(at, Math.min(at + PART_BYTES, to));
          count(part.length);
          yield part;
        }
      },
    };
  }

  async put(_session: Session, file: ContentToPut, signal: AbortSignal): Promise<VersionId> {
    const parts: Uint8Array[] = [];
    for await (const part of file.source) {
      signal.throwIfAborted();
      if (this.failure !== undefined) throw this.failure;
      parts.push(Buffer.from(part));
    }
    if (this.failure !== undefined) throw this.failure;
    this.puts++;
    const { path, modifiedMs, mode } = file;
    const version = newVersion();
    this.files.set(path, { version, bytes: Buffer.concat(parts), modifiedMs, mode });
    return version;
  }

  text(path: string): string {
    return this.#stored(path).bytes.toString();
  }

  #stored(path: string): Stored {
    const stored = this.files.get(path);
    if (stored === undefined) throw new StorageError('NOT_FOUND', `There is nothing at ${path}.`);
    return stored;
  }

  #entry(path: string): Entry {
    if (path === '/') return { path, type: 'folder', bytes: 0, modifiedMs: 0, mode: 0o755 };
    const { bytes, version, modifiedMs, mode } = this.#stored(path);
    return { path, type: 'file', bytes: bytes.length, modifiedMs, mode, version };
  }
}

function newVersion(): VersionId {
  return parseVersionId(randomBytes(16));
}
