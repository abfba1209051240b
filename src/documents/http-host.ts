import { StorageError } from '../errors.js';
import { parseDatabaseName } from './database-name.js';
import type { DocumentDatabase, DocumentHost } from './document-database.js';
import { HttpConnection, type HostingAddress } from './http-connection.js';
import { HttpDocuments } from './http-documents.js';
import type { DamagedDatabase } from './level-host.js';

export interface HostStatus {
  readonly damaged: readonly DamagedDatabase[];
  /** What PouchDB hosting was told to say. */
  readonly [field: string]: unknown;
}

/**
 * The databases of PouchDB hosting. Nothing is lost when the hosting restarts: calls meanwhile fail as UNAVAILABLE, feeds
 * go on by themselves.
 */
export class HttpHost implements DocumentHost {
  readonly #connection: HttpConnection;

  /** Connects at the first call. */
  constructor(address: HostingAddress) {
    this.#connection = new HttpConnection(address);
  }

  async open(name: string): Promise<DocumentDatabase> {
    parseDatabaseName(name);
    try {
      await this.#connection.call('PUT', `/${name}`);
    } catch (error) {
      if (!StorageError.is(error, 'ALREADY_EXISTS')) throw error;
    }
    return new HttpDocuments(this.#connection, name);
  }

  async names(): Promise<readonly string[]> {
    return (await this.#connection.call('GET', '/_all_dbs')) as readonly string[];
  }

  async drop(name: string): Promise<void> {
    parseDatabaseName(name);
    try {
      await this.#connection.call('DELETE', `/${name}`);
    } catch (error) {
      if (!StorageError.is(error, 'NOT_FOUND')) throw error;
    }
  }

  async status(): Promise<HostStatus> {
    return (await this.#connection.call('GET', '/_status')) as HostStatus;
  }

  async close(): Promise<void> {
    this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
