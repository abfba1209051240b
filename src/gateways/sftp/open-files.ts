import type { Session } from '../../catalog/catalog.js';
import { isWithinPath } from '../../catalog/path.js';
import { StorageError } from '../../errors.js';
import { Budget } from './budget.js';
import { demandGoodName, folderOf, nameOf } from './client-path.js';
import { OpenFile, type OpenFileParts } from './open-file.js';
import { MAX_SFTP_SPOOLS, MAX_SFTP_STREAMS, SFTP_MEMORY_BYTES } from '../../limits.js';
import type { ShownEntry } from './attributes.js';

/** For what a file is opened, and by whom. */
export interface FileWish {
  readonly session: () => Session;
  readonly write: boolean;
  /** Make it when it is not there. */
  readonly create: boolean;
  /** Fail when it is there. */
  readonly exclusive: boolean;
  readonly truncate: boolean;
  readonly mode?: number;
}

/** The files that the clients of all connections have open, by user and path. */
export class OpenFiles {
  readonly #parts: OpenFileParts;
  readonly #files = new Map<string, OpenFile>();

  constructor(parts: Pick<OpenFileParts, 'catalog' | 'content' | 'spool'>) {
    this.#parts = {
      ...parts,
      memory: new Budget(SFTP_MEMORY_BYTES),
      streams: new Budget(MAX_SFTP_STREAMS),
      spools: new Budget(MAX_SFTP_SPOOLS),
    };
  }

  /** @returns a file that has to be released @throws StorageError NOT_FOUND, ALREADY_EXISTS, CONFLICT for a folder */
  async open(path: string, wish: FileWish): Promise<OpenFile> {
    const key = keyOf(wish.session().user, path);
    const found = await this.#find(path, key, wish);
    // Another connection may have opened it meanwhile.
    const known = this.#files.get(key);
    const file = known !== undefined && (known.isBusy || known.version === found.version) ? known : found;
    this.#files.set(key, file);
    file.acquire();
    try {
      if (wish.truncate) await file.truncate(0);
      return file;
    } catch (error) {
      await this.release(file);
      throw error;
    }
  }

  async #find(path: string, key: string, wish: FileWish): Promise<OpenFile> {
    const { session, create, exclusive, mode } = wish;
    const { catalog, content } = this.#parts;
    const known = this.#files.get(key);
    // What is being written is newer than what the catalog has.
    if (known?.isBusy === true) {
      if (create && exclusive) throw taken(path);
      return known;
    }
    try {
      const stored = await content.open(session(), path);
      if (create && exclusive) throw taken(path);
      return known?.version === stored.version ? known : new OpenFile(this.#parts, { path, session, stored });
    } catch (error) {
      if (!StorageError.is(error, 'NOT_FOUND') || !create) throw error;
    }
    demandGoodName(path);
    const folder = await catalog.stat(session(), folderOf(path));
    if (folder.type !== 'folder')
      throw new StorageError('NOT_FOUND', `${folder.path} is a file, so nothing lies in it.`);
    return new OpenFile(this.#parts, { path, session, ...(mode !== undefined && { mode }) });
  }

  /** One handle of it is closed. */
  async release(file: OpenFile): Promise<void> {
    const isLast = await file.release();
    const key = keyOf(file.user, file.path);
    if (isLast && this.#files.get(key) === file) this.#files.delete(key);
  }

  /** What is being written there; undefined where the catalog says all. */
  at({ user }: Session, path: string): OpenFile | undefined {
    const file = this.#files.get(keyOf(user, path));
    return file?.isBusy === true ? file : undefined;
  }

  /** What is being written in a folder, by name. */
  in({ user }: Session, folder: string): Map<string, ShownEntry> {
    const found = new Map<string, ShownEntry>();
    for (const file of this.#files.values()) {
      if (file.user === user && file.isBusy && folderOf(file.path) === folder) found.set(nameOf(file.path), file.entry);
    }
    return found;
  }

  /** All that is being written at or below a path becomes a version, so that the path can be renamed. */
  async settle(session: Session, path: string): Promise<void> {
    for (const file of this.#below(session, path)) await file.commit();
  }

  /** They were renamed, with what lies below. */
  moved(session: Session, from: string, to: string): void {
    for (const file of this.#below(session, from)) {
      this.#files.delete(keyOf(file.user, file.path));
      file.moveTo(to + file.path.slice(from.length));
      this.#files.set(keyOf(file.user, file.path), file);
    }
  }

  /** What was there is gone, for new handles. @returns whether somebody had it open */
  async detach(session: Session, path: string): Promise<boolean> {
    const gone = this.#below(session, path);
    for (const file of gone) this.#files.delete(keyOf(file.user, file.path));
    for (const file of gone) await file.detach();
    return gone.length > 0;
  }

  #below({ user }: Session, path: string): OpenFile[] {
    return [...this.#files.values()].filter((file) => file.user === user && isWithinPath(file.path, path));
  }
}

function keyOf(user: string, path: string): string {
  return `${user}:${path}`;
}

function taken(path: string): StorageError {
  return new StorageError('ALREADY_EXISTS', `There is something at ${path} already.`);
}
