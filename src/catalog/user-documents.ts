import type { PeerId, UserId } from '../chunk/ids.js';
import type { UserKeys } from '../crypto/root-key.js';
import { StorageError } from '../errors.js';
import { type Extent, ExtentList } from '../gen/shoal/v1/format.js';
import type { Logger } from '../log.js';
import { CHANGE_PREFIX, type ChangeText, decodeChange } from './change.js';
import type { Document, DocumentDatabase } from '../documents/document-database.js';
import { readSealed, type SealedDocument, type SealedType, writeSealed } from './sealed-document.js';
import { type ChangeStamp, compareChanges } from './stamp.js';
import { View } from './view.js';

export interface UserDocumentsOptions {
  readonly user: UserId;
  /** This peer: the author of what it writes. */
  readonly peer: PeerId;
  readonly keys: UserKeys;
  readonly logger: Logger;
}

interface ReadChange {
  readonly text: ChangeText;
  readonly stamp: ChangeStamp;
}

/** A user's database `user-<id>`, between sealed documents and what they say. */
export class UserDocuments {
  readonly #database: DocumentDatabase;
  readonly #options: UserDocumentsOptions;

  constructor(database: DocumentDatabase, options: UserDocumentsOptions) {
    this.#database = database;
    this.#options = options;
  }

  /** Reads every change. One that fails verification is reported and left out; the others do not suffer. */
  async readView(): Promise<View> {
    const changes: ReadChange[] = [];
    for await (const page of this.#database.list(CHANGE_PREFIX)) {
      for (const { id, document } of page) {
        const change = this.#readChange(id, document);
        if (change !== undefined) changes.push(change);
      }
    }
    const view = new View();
    // Any order gives the same view; this one never has to rearrange it.
    changes.sort((a, b) => compareChanges(a.stamp, b.stamp));
    for (const { text, stamp } of changes) view.apply(text, stamp);
    for (const document of view.missing) {
      this.#options.logger.warn(
        { document },
        'a catalog change was refused, lost or held back: others were made after it',
      );
    }
    for (const commit of view.incompleteCommits) {
      this.#options.logger.warn({ commit }, 'a part of this commit is missing or was refused: its files are not shown');
    }
    return view;
  }

  seal(type: SealedType, plain: Uint8Array, counter: number): Document {
    const { user, peer, keys } = this.#options;
    return writeSealed({ type, user, peer, counter }, plain, keys);
  }

  write(documents: readonly Document[]): Promise<void> {
    return this.#database.put(documents);
  }

  /**
   * The extents of a large file, from its documents in order.
   *
   * @throws StorageError UNAVAILABLE for a document that has not come yet, CORRUPT for one that was altered
   */
  async readExtents(ids: readonly string[]): Promise<Extent[]> {
    const extents: Extent[] = [];
    for (const id of ids) {
      const document = await this.#database.get(id);
      if (document === undefined) {
        throw new StorageError(
          'UNAVAILABLE',
          'A part of the manifest of this file has not arrived at this peer yet. Try again when a backup host is reachable.',
        );
      }
      const { plain } = this.#open(document, 'extents');
      for (const extent of ExtentList.decode(plain).extents) extents.push(extent);
    }
    return extents;
  }

  #open(document: Document, type: SealedType): SealedDocument {
    const { user, keys } = this.#options;
    return readSealed(document, { type, user }, keys);
  }

  #readChange(id: string, document: Document | undefined): ReadChange | undefined {
    try {
      if (document === undefined) throw new StorageError('CORRUPT', 'The database has lost the text of this document.');
      const { plain, counter, peer } = this.#open(document, 'change');
      return { text: decodeChange(plain), stamp: { counter, peer, document: id } };
    } catch (error) {
      if (!StorageError.is(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
      this.#options.logger.warn({ document: id, code: error.code, reason: error.message }, 'catalog document refused');
      return undefined;
    }
  }
}
