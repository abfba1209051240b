import type { ApiParts } from '../gateways/http/api-routes.js';
import { WebServer } from '../gateways/web/web-server.js';
import type { Base } from './base.js';
import type { Opened } from './opened.js';

/** The web UI and the HTTP API on TCP, where the gateway runs. @throws StorageError UNAVAILABLE for a port that is taken */
export async function openWeb(base: Base, api: ApiParts, opened: Opened): Promise<WebServer | undefined> {
  const { config, clock, links } = base;
  const { gateway } = api;
  if (gateway === undefined || config.web === 'off') return undefined;
  const options = { address: config.web, hosts: config.webHosts, links, now: clock };
  return opened.keep(await WebServer.open({ ...options, api: { ...api, gateway } }));
}
