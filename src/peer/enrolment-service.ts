import { join } from 'node:path';
import { RecordProblems } from '../catalog/records/record-problems.js';
import type { Catalog } from '../catalog/catalog.js';
import { NETWORK_DATABASE } from '../chunk/database-names.js';
import type { DocumentHost } from '../documents/document-database.js';
import { Enrolment } from '../enrolment/enrolment.js';
import { enrolmentHandler } from '../enrolment/handler.js';
import { Invitations } from '../enrolment/invitations.js';
import { publishOwn } from '../enrolment/publish.js';
import { Renewal } from '../enrolment/renewal.js';
import { Roll } from '../enrolment/roll.js';
import { TlsWatch } from '../enrolment/tls-watch.js';
import { StorageError } from '../errors.js';
import { webRoutes } from '../front/web-routes.js';
import { HOME, readAuthority } from '../home.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { socketPath } from '../socket-path.js';
import { admissionByHeader } from '../wire/admission.js';
import { WebServer } from '../wire/web-server.js';
import type { Base } from './base.js';
import type { Opened } from './opened.js';

export interface EnrolmentParts {
  readonly enrolment: Enrolment;
  readonly roll: Roll;
}

/** Several processes of a peer may have it open: each sees the invitations and the records that the others write. */
export async function openEnrolment(base: Base, host: DocumentHost, opened: Opened): Promise<EnrolmentParts> {
  const { config, identity, logger, clock: nowMs } = base;
  const { membership } = identity;
  const invitations = opened.keep(await Invitations.open(join(config.home, HOME.state)));
  const database = opened.keep(await host.open(NETWORK_DATABASE));
  // The DB Service mends and remembers; this one looks, and writes what it was told.
  const roll = new Roll({ database, membership, memory: undefined, problems: new RecordProblems(logger), now: nowMs });
  const authority = await readAuthority(config.home);
  return { enrolment: new Enrolment({ membership, authority, roll, invitations, nowMs, logger }), roll };
}

/** For a front in another process: `/enrol` on a unix socket. */
export async function serveEnrolment(base: Base, { enrolment }: EnrolmentParts, opened: Opened): Promise<void> {
  const { config, identity, logger, clock: nowMs } = base;
  const admission = admissionByHeader({ authority: identity.tls.authority, isMember: () => false, nowMs });
  const routes = webRoutes({ enrolment: enrolmentHandler({ enrolment, logger }) });
  const server = new WebServer({ admission, routes, logger });
  await server.listen(socketPath(config.home, 'enrolment'));
  opened.keep({ [Symbol.asyncDispose]: async () => server.close() });
}

/** Keeps this peer's certificate, and what the network knows of it and of its address, up to date. */
export function keepRenewed(base: Base, catalog: Catalog, { enrolment }: EnrolmentParts): Renewal {
  const { config, identity, logger, clock: nowMs } = base;
  const { id, tls } = identity;
  const own = async (): Promise<PeerRecord | undefined> => (await catalog.peers()).find((peer) => peer.id === id);
  return new Renewal({
    home: config.home,
    tls,
    enrolment,
    authorities: () => authoritiesBut(catalog, id),
    publish: async (certificate) => {
      const isNew = await publishOwn(catalog, { id, certificate, address: config.address });
      if (isNew) logger.info({ address: config.address }, 'the network is told what is new about this peer');
    },
    name: async () => (await own())?.name ?? id.slice(0, 12),
    nowMs,
    logger,
  });
}

/** In a process that does not renew the certificate: it takes over what another one has renewed. */
export function followRenewals({ config, identity, logger, clock: nowMs }: Base): TlsWatch {
  return new TlsWatch({ home: config.home, tls: identity.tls, nowMs, logger });
}

/** None where the policy of the network has not come yet. */
async function authoritiesBut(catalog: Catalog, self: PeerRecord['id']): Promise<readonly PeerRecord[]> {
  try {
    const { authorities } = await catalog.network();
    const peers = await catalog.peers();
    return peers.filter(({ id, state }) => id !== self && state !== 'removed' && authorities.includes(id));
  } catch (error) {
    if (StorageError.is(error, 'NOT_FOUND', 'UNSUPPORTED')) return [];
    throw error;
  }
}
