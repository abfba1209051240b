import type { Catalog } from '../catalog/catalog.js';
import { RemoteCatalog } from '../catalog/remote-catalog.js';
import { NETWORK_DATABASE } from '../chunk/database-names.js';
import type { Service } from '../config.js';
import type { DocumentDatabase } from '../documents/document-database.js';
import type { Engine, ReadEngine } from '../file/engine.js';
import { homeLookup } from '../file/garbage/homes.js';
import type { Front } from '../front/front.js';
import type { ControlServer } from '../gateways/http/server.js';
import type { SftpServer } from '../gateways/sftp/sftp-server.js';
import type { WebServer } from '../gateways/web/web-server.js';
import { UserSessions } from '../services/user-sessions.js';
import { socketPath } from '../socket-path.js';
import type { DiskStore } from '../store/disk-store.js';
import { couchRoute } from '../wire/couch-route.js';
import type { WebHandler } from '../wire/web-server.js';
import type { Base } from './base.js';
import { CatalogService } from './catalog-service.js';
import { apiOf, openControl } from './control.js';
import { couchAddress, CouchService } from './couch-service.js';
import { type Documents, openDocuments } from './documents.js';
import { openChunks, openEngine, openLinks, openReadEngine } from './engines.js';
import type { Healing } from '../healing/healing.js';
import type { Scrub } from '../healing/scrub.js';
import { Withheld } from '../healing/withheld.js';
import { openHealing, openState } from './healing-service.js';
import { followRenewals, openEnrolment } from './enrolment-service.js';
import { type FrontChoice, openFront, serveFrontAuth } from './front-service.js';
import { openListeners } from './listeners.js';
import { type MembersParts, newMembers, readMembers, watchMembers } from './members.js';
import { HomeWord } from './home-word.js';
import { Neighbours, untilUp } from './neighbours.js';
import type { Opened } from './opened.js';
import { claimServices } from './running.js';
import { puller } from './puller.js';
import { openScrub } from './scrubbing.js';
import { openSftp } from './sftp.js';
import { openWeb } from './web.js';

/** What a running process of a peer is made of, as far as the running itself needs it. What it does not run is absent. */
export interface Parts {
  readonly base: Base;
  readonly running: ReadonlySet<Service>;
  readonly neighbours: Neighbours;
  readonly control: ControlServer;
  /** Where the gateway runs, unless the setting says `off`. */
  readonly web?: WebServer | undefined;
  readonly sftp?: SftpServer | undefined;
  readonly members?: MembersParts;
  readonly store?: DiskStore | undefined;
  readonly scrub?: Scrub | undefined;
  /** Where the File Sender runs. */
  readonly engine?: Engine | undefined;
  readonly healing?: Healing | undefined;
  readonly sessions?: UserSessions | undefined;
  readonly port?: number | undefined;
}

/** Services that have to know who is a member, and in whose names. */
const KNOW_MEMBERS: readonly Service[] = ['db-service', 'file-receiver', 'file-sender', 'gateway'];

/** Opens the services that this process runs; those of others it reaches on their sockets. */
export async function openParts(
  base: Base,
  running: ReadonlySet<Service>,
  choice: FrontChoice,
  opened: Opened,
): Promise<Parts> {
  await claimServices(base.config.home, running, opened);
  const neighbours = new Neighbours(base.config, running);
  if (KNOW_MEMBERS.some((service) => running.has(service))) return openServices({ base, running, neighbours, opened });
  const front = await openAlone(base, { running, choice, opened });
  const control = opened.keep(await openControl(base, running, apiOf(base, { running, neighbours }, opened)));
  return { base, running, neighbours, control, port: front?.port };
}

interface Alone {
  readonly running: ReadonlySet<Service>;
  readonly choice: FrontChoice;
  readonly opened: Opened;
}

/** What can do without the catalog. */
async function openAlone(base: Base, { running, choice, opened }: Alone): Promise<Front | undefined> {
  const documents = await openDocuments(base, running.has('pouchdb'), opened);
  if (running.has('couchdb') && base.config.separate.includes('couchdb')) {
    const host = async (): Promise<Documents['host']> => {
      await (await openNetwork(base, documents, running)).close();
      return documents.host;
    };
    opened.keep(await CouchService.open(base, host));
  }
  return running.has('front') ? await openFront(base, choice, opened) : undefined;
}

interface Opening {
  readonly base: Base;
  readonly running: ReadonlySet<Service>;
  readonly neighbours: Neighbours;
  readonly opened: Opened;
}

async function openServices({ base, running, neighbours, opened }: Opening): Promise<Parts> {
  const { clock, logger } = base;
  const chunks = await openChunks(base, running, opened);
  const documents = await openDocuments(base, running.has('pouchdb'), opened);
  const network = opened.keep(await openNetwork(base, documents, running));
  const catalog = await openCatalog(base, { documents, running, opened });
  const members = newMembers(catalog, clock);
  if (running.has('db-service')) await readMembers(members);
  else await untilUp(base, 'db-service', () => readMembers(members));
  const links = openLinks(base, { book: members.book, chunks }, opened);
  const enrolment =
    running.has('front') || running.has('gateway') ? await openEnrolment(base, documents.host, opened) : undefined;
  const couchdb = await openCouch(base, { documents, members, running, opened });
  const word = new HomeWord();
  const pull = puller(base, { catalog, book: members.book, links, chunks });
  const withheld = new Withheld();
  const listening = {
    running,
    catalog,
    members,
    links,
    chunks,
    pull,
    withheld,
    enrolment,
    couchdb,
    home: word.lookup,
  };
  const servers = await openListeners(base, listening, opened);
  const onRead = (): void => {
    for (const server of servers) server.expel();
  };
  opened.keep(watchMembers(members, { network, onRead, logger }));
  if (!running.has('db-service')) opened.keep(followRenewals(base));
  else if (base.config.separate.includes('front')) await serveAuthorization(base, members, opened);
  const engines = await openEngines(base, { running, catalog, members, links, chunks, pull, withheld }, opened);
  if (engines.sender !== undefined) word.give(homeLookup(engines.sender));
  const sessions = running.has('gateway') ? new UserSessions(catalog) : undefined;
  const store = chunks.store;
  const { receiver } = engines;
  const scrub = openScrub(base, { catalog, book: members.book, links, store, receiver }, opened);
  const shared = { running, neighbours, catalog, members, links, documents, enrolment };
  const parts = { ...shared, store, sessions, scrub, ...engines };
  const api = apiOf(base, parts, opened);
  const web = await openWeb(base, api, opened);
  const more = web && { entrance: web.entrance, live: web.live };
  const sftp = await openSftp(base, { neighbours, catalog, sessions, gateway: api.gateway, ...engines }, opened);
  const control = opened.keep(await openControl(base, running, { ...api, ...more }));
  const port = running.has('front') ? servers[0]?.port : undefined;
  return {
    base,
    running,
    neighbours,
    control,
    web: web?.server,
    sftp,
    members,
    store,
    scrub,
    engine: engines.sender,
    healing: engines.healing,
    sessions,
    port,
  };
}

/** The database `network`, once whoever hosts it answers. */
function openNetwork(base: Base, documents: Documents, running: ReadonlySet<Service>): Promise<DocumentDatabase> {
  const open = (): Promise<DocumentDatabase> => documents.host.open(NETWORK_DATABASE);
  return running.has('pouchdb') ? open() : untilUp(base, 'pouchdb', open);
}

interface CatalogParts {
  readonly documents: Documents;
  readonly running: ReadonlySet<Service>;
  readonly opened: Opened;
}

async function openCatalog(base: Base, { documents, running, opened }: CatalogParts): Promise<Catalog> {
  if (running.has('db-service')) return opened.keep(await CatalogService.open(base, documents)).catalog;
  return opened.keep(await RemoteCatalog.open(socketPath(base.config.home, 'db')));
}

interface CouchParts extends CatalogParts {
  readonly members: MembersParts;
}

/** Runs CouchDB hosting of a backup host. @returns what a front in this process does with `/couchdb/` */
async function openCouch(
  base: Base,
  { documents, members, running, opened }: CouchParts,
): Promise<WebHandler | undefined> {
  const { book, authorities } = members;
  if (book.get(base.identity.id)?.backup !== true) return undefined;
  const here = running.has('couchdb')
    ? opened.keep(await CouchService.open(base, async () => documents.host)).address
    : undefined;
  if (!running.has('front')) return undefined;
  const address = here ?? (await untilUp(base, 'couchdb', () => couchAddress(base)));
  return couchRoute({ ...address, isAuthority: (peer) => authorities.has(peer), logger: base.logger });
}

/** The DB Service says to a front of its own who may come in. */
function serveAuthorization(base: Base, { book, authorities }: MembersParts, opened: Opened): Promise<void> {
  const parts = {
    isMember: book.isMember.bind(book),
    isAuthority: authorities.has.bind(authorities),
    isBackup: () => book.get(base.identity.id)?.backup === true,
  };
  return serveFrontAuth(base, parts, opened);
}

interface Engines {
  readonly receiver: ReadEngine | undefined;
  readonly sender: Engine | undefined;
  readonly healing: Healing | undefined;
}

type EnginesParts = Omit<Parameters<typeof openListeners>[1], 'enrolment' | 'couchdb' | 'home'>;

/** One for both, where both run here: they share threads and connections. */
async function openEngines(
  base: Base,
  { running, catalog, members, links, chunks, pull, withheld }: EnginesParts,
  opened: Opened,
): Promise<Engines> {
  const hasReceiver = running.has('file-receiver');
  const hasSender = running.has('file-sender');
  if (!hasReceiver && !hasSender) return { receiver: undefined, sender: undefined, healing: undefined };
  const engine = openReadEngine(base, { catalog, book: members.book, links, chunks }, opened);
  if (!hasSender) return { receiver: engine, sender: undefined, healing: undefined };
  const state = await openState(base, opened);
  const sender = await openEngine(base, { engine, state }, opened);
  const healing = openHealing(base, { engine: sender, chunks, pull, state, withheld }, opened);
  return { receiver: hasReceiver ? sender : undefined, sender, healing };
}
