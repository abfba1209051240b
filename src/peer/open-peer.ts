import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.js';
import { RemoteCatalog } from '../catalog/remote-catalog.js';
import type { ChunkHeader, Receipt } from '../chunk/chunk-store.js';
import { NETWORK_DATABASE } from '../chunk/database-names.js';
import { makeReceipt } from '../chunk/receipt.js';
import { privateKeyFromPem } from '../crypto/certificates.js';
import { signP256 } from '../crypto/signature.js';
import { Administration } from '../enrolment/administration.js';
import type { Enrolment } from '../enrolment/enrolment.js';
import { enrolmentHandler } from '../enrolment/handler.js';
import type { Engine } from '../file/engine.js';
import { PeerLinks } from '../file/peer-links.js';
import { pullChunk } from '../file/pull.js';
import { knownOwners } from '../file/recover/known-owners.js';
import { StripeHost } from '../file/stripe-host.js';
import { WorkerPool } from '../file/worker/pool.js';
import type { WorkerIdentity } from '../file/worker/protocol.js';
import { ControlServer } from '../gateways/http/server.js';
import { webRoutes } from '../front/web-routes.js';
import { HOME, type PeerIdentity } from '../home.js';
import { OwnerGenerations } from '../peers/owner-generations.js';
import { PeerBook } from '../peers/peer-book.js';
import { UserSessions } from '../services/user-sessions.js';
import { socketPath } from '../socket-path.js';
import { DiskStore } from '../store/disk-store.js';
import { Outbox } from '../store/outbox.js';
import { couchRoute } from '../wire/couch-route.js';
import type { OwnerLookup } from '../wire/get-owner.js';
import { PeerServer } from '../wire/server.js';
import type { WebHandler } from '../wire/web-server.js';
import { Authorities } from './authorities.js';
import type { Base } from './base.js';
import { CatalogService } from './catalog-service.js';
import { couchAddress, CouchService } from './couch-service.js';
import { type Documents, openDocuments } from './documents.js';
import { followRenewals, openEnrolment } from './enrolment-service.js';
import { readMembers, watchMembers } from './members.js';
import type { Opened } from './opened.js';

/** What a running peer is made of, as far as the running itself needs it. */
export interface Parts {
  readonly base: Base;
  readonly engine: Engine;
  readonly store: DiskStore;
  readonly sessions: UserSessions;
  readonly server: PeerServer;
  readonly generations: OwnerGenerations;
  readonly authorities: Authorities;
}

export async function openParts(base: Base, opened: Opened): Promise<Parts> {
  const { config, identity, logger, clock } = base;
  const { home } = config;
  const store = opened.keep(await openStore(base));
  const documents = await openDocuments(base, opened);
  const catalog = await openCatalog(base, documents, opened);
  const book = new PeerBook([], clock);
  const generations = new OwnerGenerations();
  const authorities = new Authorities();
  const members = { catalog, book, generations, authorities };
  await readMembers(members);
  const outbox = opened.keep(await Outbox.open({ directory: join(home, HOME.state), clock }));
  const links = opened.keep(new PeerLinks({ self: identity.id, tls: identity.tls, book, local: store }));
  const signReceipt = receiptSigner(identity);
  const isBackup = book.get(identity.id)?.backup === true;
  const web = isBackup ? await openCouch(base, { documents, authorities, opened }) : undefined;
  const owners = knownOwners(catalog);
  const { enrolment, roll } = await openEnrolment(base, documents.host, opened);
  const server = opened.keep(
    await openServer(base, { store, book, links, owners, generations, signReceipt, enrolment, ...(web && { web }) }),
  );
  const network = opened.keep(await documents.host.open(NETWORK_DATABASE));
  const onRead = server.expel.bind(server);
  opened.keep(watchMembers(members, { network, onRead, logger }));
  const host = new StripeHost({ self: identity.id, catalog, book, local: store, signReceipt });
  const pool = opened.keep(openPool(base, host));
  if (config.separate.includes('db-service')) opened.keep(followRenewals(base));
  identity.tls.onReplace(() => {
    server.renew(identity.tls);
    pool.renew(workerIdentity(identity));
  });
  const engine: Engine = { self: identity.id, catalog, book, links, host, pool, outbox, pinned: new Set(), logger };
  const sessions = new UserSessions(catalog);
  const socket = socketPath(home, 'control');
  const { membership } = identity;
  const administration = new Administration({ home, membership, enrolment, catalog, roll, logger });
  const administered = { administration, links, nowMs: clock };
  opened.keep(await ControlServer.open({ socket, engine, sessions, store, documents, network: administered, logger }));
  return { base, engine, store, sessions, server, generations, authorities };
}

function openStore({ config, logger }: Base): Promise<DiskStore> {
  const { home, reserveBytes, capacityBytes } = config;
  const directory = join(home, HOME.chunks);
  return DiskStore.open({ directory, reserveBytes, logger, ...(capacityBytes && { capacityBytes }) });
}

/** The DB Service: in this process, unless the configuration says that another runs it. */
async function openCatalog(base: Base, documents: Documents, opened: Opened): Promise<Catalog> {
  const { home, separate } = base.config;
  if (separate.includes('db-service')) return opened.keep(await RemoteCatalog.open(socketPath(home, 'db')));
  return opened.keep(await CatalogService.open(base, documents)).catalog;
}

interface CouchParts {
  readonly documents: Documents;
  readonly authorities: Authorities;
  readonly opened: Opened;
}

/** What the front of a backup host does with `/couchdb/`. */
async function openCouch(base: Base, { documents, authorities, opened }: CouchParts): Promise<WebHandler> {
  const isSeparate = base.config.separate.includes('couchdb');
  const address = isSeparate
    ? await couchAddress(base)
    : opened.keep(await CouchService.open(base, async () => documents.host)).address;
  return couchRoute({ ...address, isAuthority: (peer) => authorities.has(peer), logger: base.logger });
}

function receiptSigner({ id, tls }: PeerIdentity): (header: ChunkHeader) => Receipt {
  const key = privateKeyFromPem(tls.key);
  return (header) => {
    const promised = { peer: id, chunk: header.id, owner: header.owner, bytes: header.bytes, storedMs: Date.now() };
    return makeReceipt(promised, (body) => signP256('receipt', body, key));
  };
}

interface Serving {
  readonly enrolment: Enrolment;
  readonly web?: WebHandler;
  readonly store: DiskStore;
  readonly book: PeerBook;
  readonly generations: OwnerGenerations;
  readonly links: PeerLinks;
  readonly owners: OwnerLookup;
  readonly signReceipt: (header: ChunkHeader) => Receipt;
}

function openServer(
  { config, identity, logger }: Base,
  { store, book, links, owners, generations, signReceipt, enrolment, web }: Serving,
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
    web: webRoutes({ enrolment: enrolmentHandler({ enrolment, logger }), ...(web && { couchdb: web }) }),
    logger,
  });
}

function openPool({ config, identity }: Base, host: StripeHost): WorkerPool {
  return new WorkerPool({
    identity: workerIdentity(identity),
    host: host.calls,
    threads: config.workers,
    stripesPerThread: config.stripesPerWorker,
  });
}

/** As it is now: a thread gets a copy. */
function workerIdentity({ id, tls }: PeerIdentity): WorkerIdentity {
  const { key, certificate, authority } = tls;
  return { peer: id, key, certificate, authority };
}
