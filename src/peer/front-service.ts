import { join } from 'node:path';
import type { Front, FrontOptions } from '../front/front.js';
import { NginxFront, settingsOf, type NginxFrontOptions } from '../front/nginx-front.js';
import { NodeFront } from '../front/node-front.js';
import { FRONT_AUTH } from '../front/routes.js';
import { frontAuth } from '../front/front-auth.js';
import type { NginxSettings } from '../front/nginx-config.js';
import type { Config } from '../config.js';
import type { PeerId } from '../chunk/ids.js';
import { HOME } from '../home.js';
import { socketPath } from '../socket-path.js';
import { admissionByHeader } from '../wire/admission.js';
import type { CouchTarget } from '../wire/couch-route.js';
import { WebServer } from '../wire/web-server.js';
import { type Base, serviceAddress } from './base.js';
import { couchAddress } from './couch-service.js';
import { followRenewals } from './enrolment-service.js';
import type { Opened } from './opened.js';

/** Which front `shoal serve front` runs. */
export interface FrontChoice {
  /** nginx instead of the built-in one: its program, or `true` for the one that is installed. */
  readonly nginx?: string | true;
}

/** The front as a process of its own, which takes over renewed certificates by itself. */
export async function openFront(base: Base, { nginx }: FrontChoice, opened: Opened): Promise<Front> {
  const { config, identity, logger } = base;
  const options: FrontOptions = { ...whereaboutsOf(config), tls: identity.tls, logger };
  const front = opened.keep(
    nginx === undefined
      ? await NodeFront.open(options)
      : await NginxFront.open({ ...options, ...filesOf(config), ...(nginx === true ? {} : { nginx }) }),
  );
  opened.keep(followRenewals(base));
  identity.tls.onReplace(() => {
    front.renew().catch((error: unknown) => logger.error({ err: error }, 'the front goes on with its old certificate'));
  });
  logger.info({ front: nginx === undefined ? 'built in' : 'nginx', port: front.port }, 'the front is up');
  return front;
}

/** What `shoal nginx` prints the configuration from. */
export function nginxSettings(config: Config): Omit<NginxSettings, 'version'> {
  return settingsOf({ ...whereaboutsOf(config), ...filesOf(config) });
}

function whereaboutsOf({ home, listen, couch }: Config): Pick<FrontOptions, 'address' | 'socketOf' | 'couch'> {
  const target: CouchTarget =
    couch === undefined ? { socket: serviceAddress(home, 'couchdb').socket } : { url: couch.url };
  return { address: listen, socketOf: (name) => socketPath(home, name), couch: target };
}

function filesOf({ home }: Config): Pick<NginxFrontOptions, 'folder' | 'files'> {
  const { key, certificate, authority } = HOME;
  const files = { key: join(home, key), certificate: join(home, certificate), authority: join(home, authority) };
  return { folder: join(home, HOME.nginx), files };
}

export interface FrontAuthParts {
  readonly isMember: (peer: PeerId) => boolean;
  readonly isAuthority: (peer: PeerId) => boolean;
  /** Whether this peer is a backup host, as the network's records say now. */
  readonly isBackup: () => boolean;
}

/** For a front in another process: who may ask CouchDB what, on the socket FRONT_AUTH. Belongs to whoever knows the members. */
export async function serveFrontAuth(base: Base, parts: FrontAuthParts, opened: Opened): Promise<void> {
  const { config, identity, logger, clock: nowMs } = base;
  const { isMember, isAuthority, isBackup } = parts;
  const trust = async (): Promise<{ secret: string; isAuthority: (peer: PeerId) => boolean } | undefined> =>
    isBackup() ? { secret: (await couchAddress(base)).secret, isAuthority } : undefined;
  const server = new WebServer({
    admission: admissionByHeader({ authority: identity.tls.authority, isMember, nowMs }),
    routes: [{ prefix: '/', methods: ['GET'], identity: 'member', handler: frontAuth(trust, logger) }],
    logger,
  });
  await server.listen(socketPath(config.home, FRONT_AUTH));
  opened.keep({ [Symbol.asyncDispose]: async () => server.close() });
}
