import { StorageError } from '../../errors.js';

/** What was not believed while one document was read, by where it stood. */
export class Refusals {
  readonly #errors = new Map<string, StorageError>();

  catch<R>(where: string, open: () => R): R | undefined {
    try {
      return open();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#errors.set(where, error);
      return undefined;
    }
  }

  /** Of a document that the database cannot read. */
  async catchDamage<R>(where: string, read: () => Promise<R>): Promise<R | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!StorageError.is(error, 'CORRUPT')) throw error;
      this.#errors.set(where, error);
      return undefined;
    }
  }

  get last(): StorageError | undefined {
    return [...this.#errors.values()].at(-1);
  }

  get newer(): StorageError | undefined {
    return [...this.#errors.values()].find(({ code }) => code === 'UNSUPPORTED');
  }

  /**
   * Not to be ended: another version understands it, another peer holds to it, or another clock finds it valid; each would
   * only write it again.
   */
  isSpared(where: string): boolean {
    return StorageError.is(this.#errors.get(where), 'UNSUPPORTED', 'CONFLICT', 'UNAUTHENTICATED');
  }
}
