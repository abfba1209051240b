import type { KeptItem } from './item.js';

const STORE = 'uploads';

/**
 * The queue in IndexedDB: what was to be sent, how far each came, and, where the browser has them, handles by which it finds
 * the files again. Never the bytes: they would lie unsealed in the browser's profile. Writing is best effort, in order; where
 * the browser keeps nothing (a private window), the queue lasts as long as the page.
 */
export class UploadJournal {
  readonly #database: Promise<IDBDatabase | null>;

  /** @param user id: each has a queue of its own */
  constructor(user: string) {
    this.#database = open(`shoal.uploads.${user}`).catch(() => null);
  }

  async load(): Promise<readonly KeptItem[]> {
    const database = await this.#database;
    if (database === null) return [];
    const request = database.transaction(STORE).objectStore(STORE).getAll() as IDBRequest<KeptItem[]>;
    return settled(request).catch(() => []);
  }

  keep(items: readonly KeptItem[]): void {
    this.#write((store) => {
      for (const item of items) store.put(item);
    });
  }

  drop(ids: readonly string[]): void {
    this.#write((store) => {
      for (const id of ids) store.delete(id);
    });
  }

  #write(work: (store: IDBObjectStore) => void): void {
    void this.#database.then((database) => {
      if (database !== null) work(database.transaction(STORE, 'readwrite').objectStore(STORE));
    });
  }
}

function open(name: string): Promise<IDBDatabase> {
  const request = indexedDB.open(name, 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore(STORE, { keyPath: 'id' });
  };
  return settled(request);
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error('IndexedDB refused'));
    };
  });
}
