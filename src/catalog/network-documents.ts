import { parsePeerId, type UserId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type { Logger } from '../log.js';
import type { PeerRecord } from '../peers/peer-record.js';
import type { NetworkRecord } from './catalog.js';
import type { Document, DocumentDatabase } from '../documents/document-database.js';
import { fromDocument, toDocument, USER_PREFIX, type UserDocument, userDocumentId } from './user-document.js';

const FORMAT = 1;
const NETWORK_ID = 'network';
const PEER_PREFIX = 'peer-';

/** A user's document as it is stored, verified. */
export interface KnownUser {
  readonly user: UserDocument;
  readonly signed: Uint8Array;
}

function refuse(what: string): never {
  throw new StorageError(
    'CORRUPT',
    `The catalog's document of ${what} does not make sense. Restore it from a backup host.`,
  );
}

function checkFormat(document: Document, what: string): void {
  const { format } = document;
  if (typeof format === 'number' && format > FORMAT) {
    throw new StorageError(
      'UNSUPPORTED',
      `The document of ${what} was written by a newer version of Shoal (format ${String(format)}). Upgrade Shoal on this machine.`,
    );
  }
  if (format !== FORMAT) refuse(what);
}

function readNetwork(document: Document): NetworkRecord {
  const what = 'the network';
  checkFormat(document, what);
  const { network, name, authority, tolerate } = document;
  if (typeof network !== 'string' || typeof name !== 'string' || typeof authority !== 'string') refuse(what);
  const record = { id: network, name, authority };
  if (tolerate === undefined) return record;
  return typeof tolerate === 'number' && Number.isSafeInteger(tolerate) ? { ...record, tolerate } : refuse(what);
}

function isState(value: unknown): value is PeerRecord['state'] {
  return value === 'member' || value === 'draining' || value === 'removed';
}

function readPeer(document: Document): PeerRecord {
  const what = 'a peer';
  checkFormat(document, what);
  const { address, name, zone, capacityBytes, state, certificate } = document;
  if (typeof address !== 'string' || typeof name !== 'string' || typeof zone !== 'string') refuse(what);
  if (typeof capacityBytes !== 'number' || !isState(state) || typeof certificate !== 'string') refuse(what);
  const id = parsePeerId(document._id.slice(PEER_PREFIX.length));
  return {
    id,
    address,
    name,
    zone,
    capacityBytes,
    state,
    certificate: Uint8Array.from(Buffer.from(certificate, 'base64')),
  };
}

/** The database `network`: who and what belongs to the network, the same on every peer. */
export class NetworkDocuments {
  readonly #database: DocumentDatabase;
  readonly #logger: Logger;

  constructor(database: DocumentDatabase, logger: Logger) {
    this.#database = database;
    this.#logger = logger;
  }

  async network(): Promise<NetworkRecord> {
    const document = await this.#database.get(NETWORK_ID);
    if (document === undefined)
      throw new StorageError('NOT_FOUND', 'This peer belongs to no network yet. Create or join one.');
    return readNetwork(document);
  }

  async setNetwork(record: NetworkRecord): Promise<void> {
    const { id, name, authority, tolerate } = record;
    const policy = tolerate === undefined ? {} : { tolerate };
    await this.#database.put([
      { _id: NETWORK_ID, type: 'network', format: FORMAT, network: id, name, authority, ...policy },
    ]);
  }

  /** In ascending order of id. */
  async peers(): Promise<PeerRecord[]> {
    return this.#read(PEER_PREFIX, readPeer);
  }

  async setPeer(record: PeerRecord): Promise<void> {
    const { id, certificate, ...fields } = record;
    const text = Buffer.from(certificate).toString('base64');
    await this.#database.put([{ _id: PEER_PREFIX + id, type: 'peer', format: FORMAT, ...fields, certificate: text }]);
  }

  /** In ascending order of id. */
  async users(): Promise<KnownUser[]> {
    return this.#read(USER_PREFIX, fromDocument);
  }

  async userNamed(name: string): Promise<KnownUser | undefined> {
    const users = await this.users();
    return users.find(({ user }) => user.name === name);
  }

  async user(id: UserId): Promise<KnownUser | undefined> {
    const document = await this.#database.get(userDocumentId(id));
    return document === undefined ? undefined : fromDocument(document);
  }

  async setUser(id: UserId, signed: Uint8Array): Promise<void> {
    await this.#database.put([toDocument(id, signed)]);
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  /** One bad document hides no other: it is reported and left out. */
  async #read<T>(prefix: string, read: (document: Document) => T): Promise<T[]> {
    const found: T[] = [];
    for await (const page of this.#database.list(prefix)) {
      for (const { id, document } of page) {
        try {
          if (document === undefined) refuse(id);
          found.push(read(document));
        } catch (error) {
          if (!(error instanceof StorageError)) throw error;
          this.#logger.warn({ document: id, code: error.code, reason: error.message }, 'network document refused');
        }
      }
    }
    return found;
  }
}
