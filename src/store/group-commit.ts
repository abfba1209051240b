import { setImmediate } from 'node:timers/promises';
import { wrapError, StorageError } from '../errors.js';
import { MAX_GROUP_WRITES } from '../limits.js';

/** A database as far as transactions go. */
export interface Journal {
  begin(): void;
  commit(): void;
  rollback(): void;
  /** Resolves when everything committed so far would survive a power cut. */
  sync(): Promise<void>;
}

interface Write {
  /** Applies the write and returns what to call once it is durable. It may be called again after a rollback. */
  apply(): () => void;
  reject(error: unknown): void;
}

/**
 * Writes that meet share one transaction and one sync: those of the same turn of the event loop, and all that arrive while
 * the disk is busy with the group before. A write that fails does not harm the others of its group.
 */
export class GroupCommit {
  readonly #journal: Journal;
  #queue: Write[] = [];
  #flushing: Promise<void> | undefined;
  #broken: StorageError | undefined;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** @param write synchronous statements; resolves with what it returned, once that is durable */
  run<T>(write: () => T): Promise<T> {
    if (this.#broken !== undefined) return Promise.reject(this.#broken);
    return new Promise<T>((resolve, reject) => {
      const apply = (): (() => void) => {
        const value = write();
        return () => {
          resolve(value);
        };
      };
      this.#queue.push({ apply, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Resolves when what has been committed so far is durable. */
  async settled(): Promise<void> {
    if (this.#flushing !== undefined) await this.run(() => undefined);
  }

  /** Resolves when nothing is on its way to the disk. */
  async idle(): Promise<void> {
    while (this.#flushing !== undefined) await this.#flushing;
  }

  async #flush(): Promise<void> {
    await setImmediate();
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0, MAX_GROUP_WRITES);
      const resolvers = this.#applyTogether(group) ?? group.flatMap((write) => this.#applyAlone(write));
      try {
        if (resolvers.length > 0) await this.#journal.sync();
      } catch (error) {
        this.#break(error, group);
        break;
      }
      for (const resolve of resolvers) resolve();
    }
    this.#flushing = undefined;
  }

  #applyTogether(group: readonly Write[]): (() => void)[] | undefined {
    try {
      return this.#transaction(() => group.map((write) => write.apply()));
    } catch {
      // Whose fault it was shows when each is applied alone, where the error goes to its owner.
      return undefined;
    }
  }

  #applyAlone(write: Write): (() => void)[] {
    try {
      return [this.#transaction(() => write.apply())];
    } catch (error) {
      write.reject(error);
      return [];
    }
  }

  #transaction<T>(work: () => T): T {
    this.#journal.begin();
    try {
      const result = work();
      this.#journal.commit();
      return result;
    } catch (error) {
      this.#journal.rollback();
      throw error;
    }
  }

  /** After a failed sync nobody knows what the disk holds, and a second sync would not tell: only opening anew does. */
  #break(error: unknown, group: readonly Write[]): void {
    const cause = wrapError(error, 'Writing the database to disk');
    this.#broken = new StorageError('UNAVAILABLE', `${cause.message} Check the disk, then restart this peer.`, {
      cause: error,
    });
    for (const write of [...group, ...this.#queue]) write.reject(this.#broken);
    this.#queue = [];
  }
}
