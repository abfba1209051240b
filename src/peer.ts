import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalCatalog } from './catalog/local-catalog.js';
import type { ChunkHeader, Receipt } from './chunk/chunk-store.js';
import { makeReceipt } from './chunk/receipt.js';
import { privateKeyFromPem } from './crypto/certificates.js';
import { signP256 } from './crypto/signature.js';
import type { Config } from './config.js';
import type { Engine } from './file/engine.js';
import { PeerLinks } from './file/peer-links.js';
import { pullChunk } from './file/pull.js';
import { knownOwners } from './file/recover/known-owners.js';
import { collectOrphans, deliverDeletes } from './file/remove.js';
import { StripeHost } from './file/stripe-host.js';
import { WorkerPool } from './file/worker/pool.js';
import { ControlServer } from './gateways/http/server.js';
import { HOME, readIdentity, type PeerIdentity } from './home.js';
import { HOUSEKEEPING_MS } from './limits.js';
import { openLogger, type Logger } from './log.js';
import { OwnerGenerations } from './peers/owner-generations.js';
import { PeerBook } from './peers/peer-book.js';
import { DbService } from './services/db-service.js';
import { UserSessions } from './services/user-sessions.js';
import { socketPath } from './socket-path.js';
import { DiskStore } from './store/disk-store.js';
import { Outbox } from './store/outbox.js';
import type { OwnerLookup } from './wire/get-owner.js';
import { PeerServer } from './wire/server.js';

/** What a peer may be given instead of making it itself: tests and other programs. */
export interface PeerOptions {
  readonly logger?: Logger;
  /** Unix time in milliseconds, for whatever waits here and for who was heard of lately. */
  readonly clock?: () => number;
}

interface Parts {
  readonly config: Config;
  readonly identity: PeerIdentity;
  readonly engine: Engine;
  readonly store: DiskStore;
  readonly sessions: UserSessions;
  readonly server: PeerServer;
  readonly generations: OwnerGenerations;
}

/** What was opened, to be closed in the reverse order. */
type Opened = AsyncDisposable[];

function keep<T extends AsyncDisposable>(opened: Opened, part: T): T {
  opened.push(part);
  return part;
}

async function closeAll(opened: Opened): Promise<void> {
  const failures: unknown[] = [];
  for (let part = opened.pop(); part !== undefined; part = opened.pop()) {
    // Whatever fails to close, the others still have files and sockets to let go.
    try {
      await part[Symbol.asyncDispose]();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/** The composition root: all services of one peer in one process. */
export class Peer implements AsyncDisposable {
  readonly #parts: Parts;
  readonly #opened: Opened;
  #closing: Promise<void> | undefined;

  private constructor(parts: Parts, opened: Opened) {
    this.#parts = parts;
    this.#opened = opened;
  }

  /** Opens everything or nothing. @throws StorageError CONFLICT when another process runs this peer */
  static async open(config: Config, options: PeerOptions = {}): Promise<Peer> {
    const identity = await readIdentity(config.home);
    const logger = options.logger ?? openLogger(config.log, { peer: identity.id.slice(0, 12) });
    const opened: Opened = [];
    try {
      return new Peer(await openParts({ config, identity, logger, clock: options.clock ?? Date.now }, opened), opened);
    } catch (error) {
      await closeAll(opened);
      throw error;
    }
  }

  get id(): PeerIdentity['id'] {
    return this.#parts.identity.id;
  }

  get engine(): Engine {
    return this.#parts.engine;
  }

  get store(): DiskStore {
    return this.#parts.store;
  }

  /** Where it listens, as it came out: with port 0 in the configuration the system chose. */
  get port(): number {
    return this.#parts.server.port;
  }

  get sessions(): UserSessions {
    return this.#parts.sessions;
  }

  /** Serves until the signal; then transfers in progress get a moment to end. */
  async run(signal: AbortSignal): Promise<void> {
    const { engine, sessions, config, server } = this.#parts;
    engine.logger.info({ home: config.home, port: server.port }, 'peer is up');
    while (!signal.aborted) {
      await rest(signal);
      await this.#housekeep(signal);
    }
    engine.logger.info({ users: sessions.list().length }, 'peer is stopping');
  }

  close(): Promise<void> {
    this.#closing ??= closeAll(this.#opened);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** What peers missed is sent again, what broken puts left behind is given back; who is a member is read again. */
  async #housekeep(signal: AbortSignal): Promise<void> {
    const { engine, sessions, generations } = this.#parts;
    try {
      engine.book.update(await engine.catalog.peers());
      generations.update(await engine.catalog.users());
      await sessions.refresh();
      for (const session of sessions.background()) {
        await collectOrphans(engine, session);
        await deliverDeletes(engine, session, signal);
      }
    } catch (error) {
      if (!signal.aborted) engine.logger.warn({ err: error }, 'housekeeping failed; it will be tried again');
    }
  }
}

async function rest(signal: AbortSignal): Promise<void> {
  // An aborted wait is the end that was asked for.
  await delay(HOUSEKEEPING_MS, undefined, { signal }).catch(() => undefined);
}

interface Base {
  readonly config: Config;
  readonly identity: PeerIdentity;
  readonly logger: Logger;
  readonly clock: () => number;
}

async function openParts(base: Base, opened: Opened): Promise<Parts> {
  const { config, identity, logger, clock } = base;
  const { home, reserveBytes, capacityBytes } = config;
  const directory = join(home, HOME.chunks);
  const store = keep(
    opened,
    await DiskStore.open({ directory, reserveBytes, logger, ...(capacityBytes && { capacityBytes }) }),
  );
  const catalog = keep(
    opened,
    await LocalCatalog.open({
      directory: join(home, HOME.documents),
      state: join(home, HOME.state),
      membership: identity.membership,
      logger,
    }),
  );
  keep(opened, await DbService.open({ socket: socketPath(home, 'db'), catalog, logger }));
  const book = new PeerBook(await catalog.peers(), clock);
  const generations = new OwnerGenerations();
  generations.update(await catalog.users());
  const outbox = keep(opened, await Outbox.open({ directory: join(home, HOME.state), clock }));
  const links = keep(opened, new PeerLinks({ self: identity.id, tls: identity.tls, book, local: store }));
  const signReceipt = receiptSigner(identity);
  const server = keep(
    opened,
    await openServer(base, { store, book, links, owners: knownOwners(catalog), generations, signReceipt }),
  );
  const host = new StripeHost({ self: identity.id, catalog, book, local: store, signReceipt });
  const pool = keep(opened, openPool(base, host));
  const engine: Engine = { self: identity.id, catalog, book, links, host, pool, outbox, pinned: new Set(), logger };
  const sessions = new UserSessions(catalog);
  keep(opened, await ControlServer.open({ socket: socketPath(home, 'control'), engine, sessions, store, logger }));
  return { config, identity, engine, store, sessions, server, generations };
}

function receiptSigner({ id, tls }: PeerIdentity): (header: ChunkHeader) => Receipt {
  const key = privateKeyFromPem(tls.key);
  return (header) => {
    const promised = { peer: id, chunk: header.id, owner: header.owner, bytes: header.bytes, storedMs: Date.now() };
    return makeReceipt(promised, (body) => signP256('receipt', body, key));
  };
}

interface Serving {
  readonly store: DiskStore;
  readonly book: PeerBook;
  readonly generations: OwnerGenerations;
  readonly links: PeerLinks;
  readonly owners: OwnerLookup;
  readonly signReceipt: (header: ChunkHeader) => Receipt;
}

function openServer(
  { config, identity, logger }: Base,
  { store, book, links, owners, generations, signReceipt }: Serving,
): Promise<PeerServer> {
  return PeerServer.open({
    address: config.listen,
    tls: identity.tls,
    isMember: (peer) => book.isMember(peer),
    receiver: {
      store,
      owners,
      currentGeneration: (owner) => generations.of(owner),
      pull: async (request, { signal }) => signReceipt(await pullChunk(request, { links, local: store, signal })),
    },
    sender: { store },
    logger,
  });
}

function openPool({ config, identity }: Base, host: StripeHost): WorkerPool {
  return new WorkerPool({
    identity: { peer: identity.id, ...identity.tls },
    host: host.calls,
    threads: config.workers,
    stripesPerThread: config.stripesPerWorker,
  });
}
