import type { Service } from '../config.js';
import { enrolmentHandler } from '../enrolment/handler.js';
import type { PeerLinks } from '../file/peer-links.js';
import { knownOwners } from '../file/recover/known-owners.js';
import type { Catalog } from '../catalog/catalog.js';
import { webRoutes } from '../front/web-routes.js';
import { socketPath } from '../socket-path.js';
import type { HomeLookup } from '../wire/ask-home.js';
import type { Pull } from '../wire/file-receiver.js';
import { PeerServer, type PeerServices, type ReceiverService, type SenderService } from '../wire/server.js';
import type { WebHandler } from '../wire/web-server.js';
import { LeavingCount } from '../healing/leaving.js';
import type { Withheld } from '../healing/withheld.js';
import type { Base } from './base.js';
import type { Chunks } from './engines.js';
import type { EnrolmentParts } from './enrolment-service.js';
import type { MembersParts } from './members.js';
import type { Opened } from './opened.js';

export interface ListenerParts {
  readonly running: ReadonlySet<Service>;
  readonly catalog: Catalog;
  readonly members: MembersParts;
  readonly links: PeerLinks;
  readonly chunks: Chunks;
  /** Where the File Sender is in this process. */
  readonly home: HomeLookup;
  /** How this peer takes a chunk that somebody asks it to take. */
  readonly pull: Pull;
  readonly withheld: Withheld;
  /** Where the front is in this process. */
  readonly enrolment: EnrolmentParts | undefined;
  /** What a backup host's front does with `/couchdb/`. */
  readonly couchdb: WebHandler | undefined;
}

/**
 * What other peers reach of this process: everything on one port with TLS where the front is here, else each service on a
 * unix socket behind a front of its own.
 */
export async function openListeners(base: Base, parts: ListenerParts, opened: Opened): Promise<readonly PeerServer[]> {
  const { config, identity, logger, telemetry } = base;
  const { running, members } = parts;
  const services: PeerServices = {
    tls: identity.tls,
    isMember: (peer) => members.book.isMember(peer),
    logger,
    telemetry,
  };
  const receiver = running.has('file-receiver') ? receiverService(base, parts, opened) : undefined;
  const sender = running.has('file-sender') ? senderService(parts) : undefined;
  const servers: PeerServer[] = [];
  if (running.has('front')) {
    const web = webOf(base, parts);
    const hosted = { ...(receiver && { receiver }), ...(sender && { sender }) };
    servers.push(opened.keep(await PeerServer.open({ ...services, ...hosted, address: config.listen, web })));
  } else {
    const at = (name: string): { readonly socket: string } => ({ socket: socketPath(config.home, name) });
    if (receiver) servers.push(opened.keep(await PeerServer.open({ ...services, receiver, ...at('file-receiver') })));
    if (sender) servers.push(opened.keep(await PeerServer.open({ ...services, sender, ...at('file-sender') })));
  }
  identity.tls.onReplace(() => {
    for (const server of servers) server.renew(identity.tls);
  });
  return servers;
}

function receiverService(
  base: Base,
  { catalog, members, links, chunks, pull }: ListenerParts,
  opened: Opened,
): ReceiverService {
  const { book, generations } = members;
  const { local } = chunks;
  const { identity, clock, logger } = base;
  const network = { self: identity.id, catalog, book, links };
  const leaving = opened.keep(new LeavingCount({ network, local, clock, logger }));
  return {
    store: local,
    owners: knownOwners(catalog),
    currentGeneration: (owner) => generations.of(owner),
    pull,
    countLeft: () => leaving.latest(),
  };
}

function senderService({ members, chunks, withheld, home }: ListenerParts): SenderService {
  return { store: withheld.from(chunks.local), home, currentGeneration: (owner) => members.generations.of(owner) };
}

function webOf({ logger }: Base, { enrolment, couchdb }: ListenerParts): ReturnType<typeof webRoutes> {
  return webRoutes({
    ...(enrolment && { enrolment: enrolmentHandler({ enrolment: enrolment.enrolment, logger }) }),
    ...(couchdb && { couchdb }),
  });
}
