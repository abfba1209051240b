import { join } from 'node:path';
import type { Catalog, Session } from '../../src/catalog/catalog.js';
import { RemoteCatalog } from '../../src/catalog/remote-catalog.js';
import { userDatabase } from '../../src/chunk/database-names.js';
import { DEVNET_USER, passphraseFile } from '../../src/cli/devnet/layout.js';
import { readPassphraseFile } from '../../src/cli/passphrase.js';
import type { Service } from '../../src/config.js';
import { HttpHost } from '../../src/documents/http-host.js';
import type { Direction, StreamState } from '../../src/documents/replication/stream.js';
import { socketPath } from '../../src/socket-path.js';
import { ServiceProcess } from './service-process.js';

const SEPARATE: readonly Service[] = ['pouchdb', 'db-service'];

/** PouchDB hosting and the DB Service of one peer, each a process of its own; the rest of the peer does not run. */
export class PeerServices implements AsyncDisposable {
  readonly host: HttpHost;
  readonly #home: string;
  readonly #signal: AbortSignal;
  #documents: ServiceProcess | undefined;
  #service: ServiceProcess | undefined;
  #catalog: RemoteCatalog | undefined;

  /** Nothing runs yet. */
  constructor(home: string, signal: AbortSignal) {
    this.#home = home;
    this.#signal = signal;
    const secretFile = join(home, 'pouchdb.secret');
    this.host = new HttpHost({ socket: socketPath(home, 'pouchdb'), secretFile });
  }

  async startDocuments(): Promise<void> {
    const isUp = async (): Promise<boolean> => (await this.host.status()).damaged.length === 0;
    this.#documents = await this.#start('pouchdb', isUp);
  }

  /** @returns the DB Service; PouchDB hosting must run */
  async startCatalog(): Promise<Catalog> {
    const catalog = await RemoteCatalog.open(socketPath(this.#home, 'db'));
    this.#service = await this.#start('db-service', async () => (await catalog.users()).length > 0);
    this.#catalog = catalog;
    return catalog;
  }

  async unlock(catalog: Catalog): Promise<Session> {
    return catalog.unlock(DEVNET_USER, await readPassphraseFile(passphraseFile(this.#home)));
  }

  /** Of the DB Service, while it runs. */
  get servicePid(): number {
    return this.#service?.pid ?? 0;
  }

  /** Of what runs, so far. */
  cpuSeconds(): number {
    return (this.#documents?.cpuSeconds() ?? 0) + (this.#service?.cpuSeconds() ?? 0);
  }

  /** How the user's catalog stands with the backup host. */
  async stream(session: Session, direction: Direction): Promise<StreamState | undefined> {
    const { replication } = await this.host.status();
    const streams = Array.isArray(replication) ? (replication as StreamState[]) : [];
    const database = userDatabase(session.user, session.generation);
    return streams.find((stream) => stream.database === database && stream.direction === direction);
  }

  /** Whether a DB Service of this home has ever written a sum of the user's changes. */
  async isSummedUp(): Promise<boolean> {
    return (await this.#service?.hasLogged('the catalog was summed up')) ?? false;
  }

  async stopCatalog(): Promise<void> {
    await this.#catalog?.close();
    await this.#service?.close();
    this.#catalog = undefined;
    this.#service = undefined;
  }

  async stop(): Promise<void> {
    await this.stopCatalog();
    await this.#documents?.close();
    this.#documents = undefined;
  }

  async close(): Promise<void> {
    await this.stop();
    await this.host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(service: Service, isUp: () => Promise<boolean>): Promise<ServiceProcess> {
    return ServiceProcess.start({ home: this.#home, service, separate: SEPARATE, signal: this.#signal }, isUp);
  }
}
