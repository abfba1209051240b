import type { PeerId, UserId } from '../../chunk/ids.js';
import type { UserKeys } from '../../crypto/root-key.js';
import { StorageError } from '../../errors.js';
import type { Document, DocumentDatabase, Listed } from '../../documents/document-database.js';
import type { Extent } from '../../gen/shoal/v1/format.js';
import { DOCUMENT_PAGE } from '../../limits.js';
import type { Logger } from '../../log.js';
import { decodeChange } from './change.js';
import { CHANGE_PREFIX, documentId, hashOf, type SealedType, STATE_PREFIX } from './document-id.js';
import { type ExtentsDocument, readExtentList, readExtents } from './extents.js';
import { readSealed, type SealedDocument, type SealedFields, writeSealed } from './sealed-document.js';
import { compareChanges, type ChangeStamp } from './stamp.js';
import { decodeState } from './state.js';
import type { ReadChange, ReadState } from './user-text.js';
import { View } from './view.js';

export interface UserDocumentsOptions {
  readonly user: UserId;
  /** This peer: the author of what it writes. */
  readonly peer: PeerId;
  /** What it is called, for the names of conflicts. */
  readonly peerName: string;
  readonly keys: UserKeys;
  readonly logger: Logger;
}

type Writer = Pick<ChangeStamp, 'peer' | 'peerName'>;

/** A user's database `user-<id>-<generation>`, between sealed documents and what they say. */
export class UserDocuments {
  readonly peer: PeerId;
  readonly #database: DocumentDatabase;
  readonly #options: UserDocumentsOptions;
  /** Peers that have written here, by id and name: each change names one, and there may be a hundred thousand of them. */
  readonly #writers = new Map<string, Writer>();
  /** Ids of documents that were reported: each is, once. */
  readonly #reported = new Set<string>();
  #isNewer = false;

  constructor(database: DocumentDatabase, options: UserDocumentsOptions) {
    this.peer = options.peer;
    this.#database = database;
    this.#options = options;
  }

  /** Documents that were not believed since this was opened. */
  get refused(): number {
    return this.#reported.size;
  }

  /** The user has written here with a newer version of Shoal: what it meant is not known in full. */
  get isNewer(): boolean {
    return this.#isNewer;
  }

  /** Reads everything. What fails verification is reported and left out; the rest does not suffer. */
  async readView(): Promise<View> {
    const view = new View();
    await this.catchUp(view);
    return view;
  }

  /** Applies whatever the database has that the view has not. */
  async catchUp(view: View): Promise<void> {
    await this.#readStates(view);
    for await (const page of this.#unseenChanges(view)) await this.#applyChanges(view, page);
    await this.#recoverMissing(view);
    this.#reportGaps(view);
  }

  /** @returns whether any of these documents is new to the view, which has it now */
  async update(view: View, ids: readonly string[]): Promise<boolean> {
    const found = await this.#database.getMany(ids.filter((id) => !view.arrivals.has(hashOf(id))));
    let news = false;
    for (const { id, document } of found.filter((each) => each.id.startsWith(STATE_PREFIX))) {
      news = (await this.#applyState(view, id, document)) !== undefined || news;
    }
    const changes = found.filter(({ id }) => id.startsWith(CHANGE_PREFIX));
    return (await this.#applyChanges(view, changes)) || news;
  }

  seal(type: SealedType, plain: Uint8Array, counter: number): Document {
    const { user, peer, keys } = this.#options;
    return writeSealed({ type, user, peer, counter }, plain, keys);
  }

  /** What was sealed under other keys before: every peer that does it makes the same document. */
  reseal(fields: Pick<SealedFields, 'type' | 'peer' | 'counter'>, plain: Uint8Array): Document {
    const { user, keys } = this.#options;
    return writeSealed({ ...fields, user }, plain, keys, { again: true });
  }

  async write(documents: readonly Document[]): Promise<void> {
    await this.#database.put(documents);
  }

  /** The states that this peer has written, in no order. */
  async *ownStates(): AsyncGenerator<ReadState> {
    for await (const page of this.#database.list(STATE_PREFIX)) {
      for (const { id, document } of page) {
        if (document?.['peer'] !== this.peer) continue;
        const state = await this.#readState(id, document);
        if (state !== undefined) yield state;
      }
    }
  }

  /** Ids of all changes and states. */
  async *ids(): AsyncGenerator<string> {
    for (const prefix of [STATE_PREFIX, CHANGE_PREFIX]) {
      for await (const page of this.#database.ids(prefix)) yield* page;
    }
  }

  /** @returns undefined for what is not there or not believed, which is reported */
  async open(type: SealedType, id: string): Promise<SealedDocument | undefined> {
    return this.#verified(type, id, await this.#get(id), (sealed) => sealed);
  }

  /** One document of a large file's extents. @throws StorageError UNAVAILABLE when it has not come yet, CORRUPT */
  async extentsDocument(hash: string): Promise<ExtentsDocument> {
    const id = documentId('extents', hash);
    const document = await this.#database.get(id);
    if (document === undefined) {
      throw new StorageError(
        'UNAVAILABLE',
        'A part of the manifest of this file has not arrived at this peer yet. Try again when a backup host is reachable.',
      );
    }
    const { plain, peer, counter } = await this.#openAny('extents', id, document);
    return { peer, counter, list: readExtentList(plain) };
  }

  /**
   * The extents of a large file, from its documents in order.
   *
   * @param hashes of the documents that its version names
   * @throws StorageError UNAVAILABLE for a document that has not come yet, CORRUPT for one that was altered
   */
  readExtents(hashes: readonly Uint8Array[]): Promise<Extent[]> {
    return readExtents(hashes, (hash) => this.extentsDocument(hash));
  }

  /** By their ids first when most of them may be known: that costs a tenth. */
  async *#unseenChanges(view: View): AsyncGenerator<readonly Listed[]> {
    const isSeen = (id: string): boolean => view.arrivals.has(hashOf(id));
    for await (const page of this.#database.ids(CHANGE_PREFIX)) {
      const unseen = page.filter((id) => !isSeen(id));
      // They are named by hashes, so that any page of them is a fair sample.
      if (unseen.length > page.length / 2) {
        for await (const all of this.#database.list(CHANGE_PREFIX)) yield all.filter(({ id }) => !isSeen(id));
        return;
      }
      yield* this.#pagesOf(unseen);
    }
  }

  async *#pagesOf(ids: readonly string[]): AsyncGenerator<readonly Listed[]> {
    for (let at = 0; at < ids.length; at += DOCUMENT_PAGE) {
      yield await this.#database.getMany(ids.slice(at, at + DOCUMENT_PAGE));
    }
  }

  /** Those that are newer than all before them as they come: a dump that is whole then stands for most of the others. */
  async #readStates(view: View): Promise<void> {
    let highest = 0;
    const older: { readonly id: string; readonly counter: number }[] = [];
    for await (const page of this.#database.list(STATE_PREFIX)) {
      for (const { id, document } of page) {
        if (view.arrivals.has(hashOf(id))) continue;
        const claimed = document?.['counter'];
        const counter = typeof claimed === 'number' ? claimed : 0;
        if (counter < highest) older.push({ id, counter });
        else highest = (await this.#applyState(view, id, document))?.counter ?? highest;
      }
    }
    const ids = older.sort((a, b) => b.counter - a.counter).map(({ id }) => id);
    const unseen = ids.filter((id) => !view.arrivals.has(hashOf(id)));
    for await (const page of this.#pagesOf(unseen)) {
      for (const { id, document } of page) {
        if (!view.arrivals.has(hashOf(id))) await this.#applyState(view, id, document);
      }
    }
  }

  async #applyState(view: View, id: string, document: Document | undefined): Promise<ReadState | undefined> {
    const state = await this.#readState(id, document);
    if (state !== undefined) {
      view.applyState(state.text, state.hash);
      state.text.plain.fill(0);
    }
    return state;
  }

  /** @returns whether any of them was believed */
  async #applyChanges(view: View, page: readonly Listed[]): Promise<boolean> {
    const changes: ReadChange[] = [];
    for (const { id, document } of page) {
      const change = await this.#readChange(id, document);
      if (change !== undefined) changes.push(change);
    }
    applyChanges(view, changes);
    return changes.length > 0;
  }

  /** Somebody may have put a tombstone over a change that others speak of: its text is often still there. */
  async #recoverMissing(view: View): Promise<void> {
    const changes: ReadChange[] = [];
    const { missing, forgotten } = view.arrivals;
    for (const hash of [...missing, ...forgotten]) {
      const id = documentId('change', hash);
      for (const text of await this.#texts(id)) {
        try {
          changes.push(
            this.#asChange(readSealed(text, { type: 'change', user: this.#options.user }, this.#options.keys)),
          );
          break;
        } catch (error) {
          if (!StorageError.is(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
        }
      }
    }
    if (changes.length === 0) return;
    applyChanges(view, changes);
    await this.#recoverMissing(view);
  }

  /** A document that cannot be read is not there for us. */
  async #get(id: string): Promise<Document | undefined> {
    try {
      return await this.#database.get(id);
    } catch (error) {
      if (!StorageError.is(error, 'CORRUPT')) throw error;
      return undefined;
    }
  }

  #readChange(id: string, document: Document | undefined): Promise<ReadChange | undefined> {
    return this.#verified('change', id, document, (sealed) => this.#asChange(sealed));
  }

  #readState(id: string, document: Document | undefined): Promise<ReadState | undefined> {
    return this.#verified('state', id, document, ({ hash, plain, counter }) => {
      return { hash, counter, text: decodeState(plain) };
    });
  }

  #asChange({ hash, plain, counter, peer }: SealedDocument): ReadChange {
    const text = decodeChange(plain);
    const writer = this.#writer(peer, text.peerName);
    const stamp = { counter, peer: writer.peer, document: text.origin ?? hash, peerName: writer.peerName };
    return { hash, text, stamp };
  }

  #writer(peer: PeerId, peerName: string): Writer {
    const key = `${peer} ${peerName}`;
    const known = this.#writers.get(key) ?? { peer, peerName };
    this.#writers.set(key, known);
    return known;
  }

  async #verified<T>(
    type: SealedType,
    id: string,
    document: Document | undefined,
    decode: (sealed: SealedDocument) => T,
  ): Promise<T | undefined> {
    try {
      return decode(await this.#openAny(type, id, document));
    } catch (error) {
      if (!StorageError.is(error, 'CORRUPT', 'UNSUPPORTED')) throw error;
      if (error.code === 'UNSUPPORTED') this.#isNewer = true;
      if (!this.#reported.has(id)) {
        this.#reported.add(id);
        const { code, message } = error;
        this.#options.logger.warn({ document: id, code, reason: message }, 'catalog document refused');
      }
      return undefined;
    }
  }

  /** The id commits to the content: of all texts that lie under it, the one that verifies is the one. */
  async #openAny(type: SealedType, id: string, document: Document | undefined): Promise<SealedDocument> {
    const { user, keys } = this.#options;
    try {
      if (document === undefined) throw new StorageError('CORRUPT', 'The database has lost the text of this document.');
      return readSealed(document, { type, user }, keys);
    } catch (error) {
      if (!StorageError.is(error, 'CORRUPT')) throw error;
      for (const text of await this.#texts(id)) {
        try {
          return readSealed(text, { type, user }, keys);
        } catch (again) {
          if (!StorageError.is(again, 'CORRUPT')) throw again;
        }
      }
      throw error;
    }
  }

  async #texts(id: string): Promise<readonly Document[]> {
    try {
      return await this.#database.texts(id);
    } catch (error) {
      if (!StorageError.is(error, 'CORRUPT')) throw error;
      return [];
    }
  }

  #reportGaps(view: View): void {
    const { logger } = this.#options;
    for (const hash of view.arrivals.missing) {
      const document = documentId('change', hash);
      if (this.#reported.has(document)) continue;
      logger.warn({ document }, 'a catalog change was refused, lost or held back: others were made after it');
    }
    for (const commit of view.incompleteCommits) {
      logger.warn({ commit }, 'a part of this commit is missing or was refused: its files are not shown');
    }
    for (const dump of view.arrivals.incompleteBases) {
      logger.warn({ dump }, 'a part of the state that this catalog began with is missing or was refused');
    }
  }
}

/** Any order gives the same view; in this one it is rearranged the least. */
function applyChanges(view: View, changes: ReadChange[]): void {
  changes.sort((a, b) => compareChanges(a.stamp, b.stamp));
  for (const { text, stamp, hash } of changes) {
    view.apply(text, stamp);
    view.arrivals.note(hash);
    text.plain.fill(0);
  }
}
