import { NetworkDocuments, type NetworkDocumentsOptions } from '../catalog/records/network-documents.js';
import { NETWORK_DATABASE } from '../chunk/database-names.js';
import type { LatestIn } from '../documents/branches.js';
import type { BackupDatabases } from '../documents/couch/backup-databases.js';
import { EmbeddedCouch } from '../documents/couch/embedded-couch.js';
import { ExternalCouch, type ExternalCouchOptions } from '../documents/couch/external-couch.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import { COUCHDB, ensureSecret } from '../documents/hosting-secret.js';
import { StorageError } from '../errors.js';
import type { Logger } from '../log.js';
import type { CouchTarget } from '../wire/couch-route.js';
import { Provisioner } from './provisioner.js';

/** The embedded server: everything in the peer's home. */
export interface EmbeddedHosting {
  /** The folder of the databases. */
  readonly directory: string;
  readonly socket: string;
  /** Made when missing. */
  readonly secretFile: string;
}

export interface CouchHostingOptions {
  readonly hosting: EmbeddedHosting | ExternalCouchOptions;
  /** How the records of the network are verified; see NetworkDocuments. */
  readonly records: Omit<NetworkDocumentsOptions, 'database'>;
  /**
   * The database `network` of this peer, for an external CouchDB: what that one holds reaches it by replication. The
   * embedded server's own is read in its place.
   */
  readonly network?: DocumentDatabase;
  /** For the embedded server: bounds the branches of documents. */
  readonly latestIn?: LatestIn;
  readonly logger: Logger;
}

interface Route {
  readonly target: CouchTarget;
  readonly secret: string;
}

interface Opened {
  readonly route: Route;
  readonly parts: Parts;
}

interface Parts {
  readonly provisioner: Provisioner;
  readonly network: DocumentDatabase | undefined;
  readonly couch: EmbeddedCouch | undefined;
  readonly life: AbortController;
}

/** What a backup host is beside a peer: the databases of all others, in a CouchDB, behind the front. */
export class CouchHosting implements AsyncDisposable {
  /** For `couchRoute` of the front. */
  readonly target: CouchTarget;
  readonly secret: string;
  readonly #parts: Parts;
  #closing: Promise<void> | undefined;

  private constructor(route: Route, parts: Parts) {
    this.target = route.target;
    this.secret = route.secret;
    this.#parts = parts;
  }

  /** @throws StorageError CONFLICT when another process hosts it; UNSUPPORTED for a CouchDB that lets strangers in */
  static async open(options: CouchHostingOptions): Promise<CouchHosting> {
    const { hosting } = options;
    const opened = 'url' in hosting ? openExternal(options, hosting) : openEmbedded(options, hosting);
    const { route, parts } = await opened;
    return new CouchHosting(route, parts);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { provisioner, network, couch, life } = this.#parts;
    life.abort(new StorageError('CANCELLED', 'CouchDB hosting is being closed.'));
    await provisioner.close();
    await network?.close();
    await couch?.close();
  }
}

async function openEmbedded(options: CouchHostingOptions, hosting: EmbeddedHosting): Promise<Opened> {
  const secret = await ensureSecret(hosting.secretFile, COUCHDB);
  const { directory, socket } = hosting;
  const { latestIn, logger } = options;
  const couch = await EmbeddedCouch.open({ directory, socket, secret, ...(latestIn && { latestIn }), logger });
  try {
    const network = await couch.host.open(NETWORK_DATABASE);
    const provisioner = openProvisioner(options, couch, network);
    const parts = { provisioner, network, couch, life: new AbortController() };
    return { route: { target: { socket }, secret }, parts };
  } catch (error) {
    await couch.close();
    throw error;
  }
}

async function openExternal(options: CouchHostingOptions, hosting: ExternalCouchOptions): Promise<Opened> {
  const { network } = options;
  if (network === undefined) {
    throw new StorageError('INVALID_ARGUMENT', 'A CouchDB by URL is provided for from the database of this peer.');
  }
  const life = new AbortController();
  const { databases, secret } = await ExternalCouch.open(hosting, life.signal);
  const provisioner = openProvisioner(options, databases, network);
  const parts = { provisioner, network: undefined, couch: undefined, life };
  return { route: { target: { url: hosting.url }, secret }, parts };
}

function openProvisioner(
  { records, logger }: CouchHostingOptions,
  databases: BackupDatabases,
  network: DocumentDatabase,
): Provisioner {
  return new Provisioner({
    databases,
    records: new NetworkDocuments({ ...records, database: network }),
    network,
    logger,
  });
}
