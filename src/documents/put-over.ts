import { StorageError } from '../errors.js';
import type { Document } from './document-database.js';

/** Each takes another write of the same documents between two calls. */
const MOST_TRIES = 32;

interface Writing {
  /** @returns those whose id has a document already, of another revision than they name */
  readonly write: (documents: readonly Document[]) => Promise<readonly Document[]>;
  /** What is read under these ids now, deleted or not. */
  readonly winners: (ids: readonly string[]) => Promise<ReadonlyMap<string, { readonly rev: string }>>;
}

/**
 * Writes documents over what may be there, also while others do the same.
 *
 * @throws StorageError CONFLICT when others do nothing else
 */
export async function putOver(documents: readonly Document[], { write, winners }: Writing): Promise<void> {
  let taken = await write(documents);
  for (let tries = 0; taken.length > 0; tries++) {
    if (tries === MOST_TRIES) {
      throw new StorageError('CONFLICT', 'Others change the same part of the catalog all the time. Try again.');
    }
    const current = await winners(taken.map(({ _id }) => _id));
    const over = taken.map((document) => {
      const winner = current.get(document._id);
      return winner ? { ...document, _rev: winner.rev } : document;
    });
    // A document of the caller is one without a revision.
    const names = new Set((await write(over)).map(({ _id }) => _id));
    taken = taken.filter(({ _id }) => names.has(_id));
  }
}
