import { join } from 'node:path';
import { parseAddress } from '../front/address.js';
import type { ApiParts } from '../gateways/http/api-routes.js';
import { BrowserSessions } from '../gateways/web/browser-sessions.js';
import type { Entrance } from '../gateways/web/session-routes.js';
import { TokenBook } from '../gateways/web/token-book.js';
import { WebServer } from '../gateways/web/web-server.js';
import { HOME } from '../home.js';
import { openGatewayState } from '../store/gateway-state.js';
import type { Base } from './base.js';
import type { Opened } from './opened.js';

/** The web UI and the HTTP API on TCP, unless the setting says `off`. */
export interface Web {
  readonly entrance: Entrance;
  readonly server: WebServer | undefined;
}

/** Where the gateway runs. @throws StorageError UNAVAILABLE for a port that is taken */
export async function openWeb(base: Base, api: ApiParts, opened: Opened): Promise<Web | undefined> {
  const { config, clock: now, links } = base;
  const { gateway } = api;
  if (gateway === undefined) return undefined;
  const state = opened.keep(await openGatewayState(join(config.home, HOME.state)));
  let server: WebServer | undefined;
  const entrance: Entrance = {
    links,
    tokens: new TokenBook(state, now),
    browsers: new BrowserSessions(now),
    url: () => (server === undefined ? undefined : urlOf(base, server.port)),
    now,
  };
  if (config.web === 'off') return { entrance, server };
  const options = { address: config.web, hosts: config.webHosts, entrance };
  server = opened.keep(await WebServer.open({ ...options, api: { ...api, gateway } }));
  return { entrance, server };
}

/** As a browser of this machine finds it; behind a proxy as others do. */
function urlOf({ config: { web, webHosts } }: Base, port: number): string {
  const proxied = webHosts.find((name) => !/^(localhost|127\.0\.0\.1)$/.test(name));
  if (proxied !== undefined) return `https://${proxied}`;
  const { host } = parseAddress(web);
  const isEverywhere = host === '0.0.0.0' || host === '::';
  return `http://${isEverywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
