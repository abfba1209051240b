import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PEER_ROLE } from '../../src/chunk/database-names.js';
import type { PeerId } from '../../src/chunk/ids.js';
import { EmbeddedCouch } from '../../src/documents/couch/embedded-couch.js';
import { ExternalCouch } from '../../src/documents/couch/external-couch.js';
import type { BackupDatabases } from '../../src/documents/couch/backup-databases.js';
import type { Document, DocumentDatabase, Leaf } from '../../src/documents/document-database.js';
import { LevelHost } from '../../src/documents/level-host.js';
import { Replicator, type BackupHost, type ReplicatedDatabase } from '../../src/documents/replication/replicator.js';
import type { StreamState } from '../../src/documents/replication/stream.js';
import { webRoutes } from '../../src/front/web-routes.js';
import { silentLogger } from '../../src/log.js';
import { couchRoute, type CouchTarget } from '../../src/wire/couch-route.js';
import { PeerWeb } from '../../src/wire/peer-web.js';
import type { PeerServer } from '../../src/wire/server.js';
import { serve, TestNetwork, type TestPeer } from '../wire/network.js';

export const USER = 'ab'.repeat(32);
export const EVERYBODY = { names: [], roles: [PEER_ROLE] };
/** Long, so that only what never comes fails on a busy machine: a replication that failed a few times rests for 10 s. */
const PATIENCE_MS = 60_000;

/** Looks until it is so. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`It never came to this: ${what}`);
    await delay(10);
  }
}

/** A document of the kind that a user's catalog holds. */
export function change(index: number, more: object = {}): Document {
  const _id = `change-${index.toString(16).padStart(64, '0')}`;
  return { _id, type: 'change', format: 1, user: USER, peer: USER, counter: index, sealed: 'AAAA', ...more };
}

/** A real CouchDB that a suite runs against. */
export interface RealCouch {
  readonly target: CouchTarget;
  readonly secret: string;
  readonly databases: BackupDatabases;
}

/** @returns undefined unless COUCHDB_URL, COUCHDB_CREDENTIALS and COUCHDB_SECRET (two files) say where one is */
export async function realCouch(): Promise<RealCouch | undefined> {
  const { COUCHDB_URL: text, COUCHDB_CREDENTIALS: credentialsFile = '', COUCHDB_SECRET: secretFile = '' } = process.env;
  if (text === undefined) return undefined;
  const url = new URL(text);
  const { databases, secret } = await ExternalCouch.open(
    { url, credentialsFile, secretFile },
    new AbortController().signal,
  );
  return { target: { url }, secret, databases };
}

/** A CouchDB behind the front of a peer. */
export class TestHost implements AsyncDisposable {
  readonly peer: TestPeer;
  readonly #options: { readonly directory: string; readonly isMember: (peer: PeerId) => boolean };
  readonly #real: RealCouch | undefined;
  readonly #secret = randomBytes(32).toString('hex');
  couch: EmbeddedCouch | undefined;
  server: PeerServer | undefined;
  #port = 0;

  constructor(
    peer: TestPeer,
    options: { readonly directory: string; readonly isMember: (peer: PeerId) => boolean },
    real?: RealCouch,
  ) {
    this.peer = peer;
    this.#options = options;
    this.#real = real;
  }

  get record(): BackupHost {
    return { id: this.peer.id, address: `127.0.0.1:${String(this.#port)}` };
  }

  /** At the same port as before. */
  async open(): Promise<this> {
    const { directory, isMember } = this.#options;
    const logger = silentLogger();
    const socket = join(directory, 'couch.sock');
    const secret = this.#real?.secret ?? this.#secret;
    if (this.#real === undefined) {
      this.couch = await EmbeddedCouch.open({ directory: join(directory, 'couchdb'), socket, secret, logger });
    }
    const target = this.#real?.target ?? { socket };
    const web = webRoutes({ couchdb: couchRoute({ target, secret, isAuthority: () => false, logger }) });
    this.server = await serve(this.peer, { address: `127.0.0.1:${String(this.#port)}`, isMember, web });
    this.#port = this.server.port;
    return this;
  }

  get databases(): BackupDatabases {
    const databases = this.#real?.databases ?? this.couch;
    if (databases === undefined) throw new Error('closed');
    return databases;
  }

  async provide(...names: readonly string[]): Promise<void> {
    for (const name of names) await this.databases.provide(name, EVERYBODY);
  }

  async close(): Promise<void> {
    await this.server?.close();
    await this.couch?.close();
    this.server = undefined;
    this.couch = undefined;
  }

  async wipe(): Promise<void> {
    await rm(join(this.#options.directory, 'couchdb'), { recursive: true, force: true });
    for (const name of (await this.#real?.databases.names()) ?? []) await this.#real?.databases.drop(name);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The document databases of a peer, and their replication. */
export class TestSide implements AsyncDisposable {
  readonly peer: TestPeer;
  readonly #directory: string;
  host: LevelHost | undefined;
  replicator: Replicator | undefined;

  constructor(peer: TestPeer, directory: string) {
    this.peer = peer;
    this.#directory = directory;
  }

  async open(): Promise<this> {
    const logger = silentLogger();
    this.host = await LevelHost.open({ directory: this.#directory, logger });
    this.replicator = new Replicator({
      self: this.peer.id,
      host: this.host,
      connect: (host) => this.web(host),
      logger,
    });
    return this;
  }

  /** A connection of this peer to a host. */
  web({ id, address }: BackupHost): PeerWeb {
    return new PeerWeb({ id, address, tls: this.peer.tls, prefix: '/couchdb' });
  }

  replicate(hosts: readonly BackupHost[], ...databases: readonly (string | ReplicatedDatabase)[]): void {
    const plan = databases.map((each) => (typeof each === 'string' ? { name: each } : each));
    this.replicator?.update({ hosts, databases: plan });
  }

  get states(): readonly StreamState[] {
    return this.replicator?.status() ?? [];
  }

  async database(name: string): Promise<DocumentDatabase> {
    if (this.host === undefined) throw new Error('closed');
    return this.host.open(name);
  }

  async put(name: string, documents: readonly Document[]): Promise<void> {
    await using database = await this.database(name);
    await database.put(documents);
  }

  async ids(name: string): Promise<string[]> {
    await using database = await this.database(name);
    const ids: string[] = [];
    for await (const page of database.list('')) ids.push(...page.map(({ id }) => id));
    return ids;
  }

  async leaves(name: string, id: string): Promise<readonly Leaf[]> {
    await using database = await this.database(name);
    return await database.leaves(id);
  }

  async count(name: string): Promise<number> {
    return (await this.ids(name)).length;
  }

  async close(): Promise<void> {
    await this.replicator?.close();
    await this.host?.close();
    this.replicator = undefined;
    this.host = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** Peers of one network, each with a folder. */
export class Stage implements AsyncDisposable {
  readonly network: TestNetwork;
  readonly directory: string;
  readonly removed = new Set<PeerId>();
  readonly #opened: AsyncDisposable[] = [];

  readonly #real: RealCouch | undefined;

  private constructor(network: TestNetwork, directory: string, real: RealCouch | undefined) {
    this.network = network;
    this.directory = directory;
    this.#real = real;
  }

  /** @param real instead of an embedded CouchDB for each host; it is emptied first */
  static async open(real?: RealCouch): Promise<Stage> {
    for (const name of (await real?.databases.names()) ?? []) await real?.databases.drop(name);
    return new Stage(await TestNetwork.open(), await mkdtemp(join(tmpdir(), 'shoal-replication-')), real);
  }

  async host(): Promise<TestHost> {
    const peer = await this.network.peer();
    const directory = join(this.directory, `h${peer.id.slice(0, 8)}`);
    const host = new TestHost(peer, { directory, isMember: (id) => !this.removed.has(id) }, this.#real);
    this.#opened.push(host);
    return host.open();
  }

  async side(peer?: TestPeer): Promise<TestSide> {
    const known = peer ?? (await this.network.peer());
    const side = new TestSide(known, join(this.directory, `p${known.id.slice(0, 8)}`));
    this.#opened.push(side);
    return side.open();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const each of this.#opened.reverse()) await each[Symbol.asyncDispose]();
    await rm(this.directory, { recursive: true, force: true });
  }
}
