import { join } from 'node:path';
import { StorageError } from '../errors.js';
import { parseAddress } from '../front/address.js';
import type { ApiParts } from '../gateways/http/api-routes.js';
import type { StatusReply } from '../gateways/http/api.js';
import { ActivityBook } from '../gateways/http/activity-book.js';
import { HistoryBook } from '../gateways/http/history-book.js';
import { Live } from '../gateways/http/live.js';
import { SCRUB } from '../gateways/http/description/peer-replies.js';
import { Observer } from '../gateways/http/observer.js';
import type { RecordParts } from '../gateways/http/record-routes.js';
import type { GatewayParts } from '../gateways/http/routes.js';
import { auditsReply } from '../gateways/http/audit-routes.js';
import { AUDITS, REPAIRS } from '../gateways/http/description/healing-replies.js';
import type { RepairState } from '../gateways/http/repair-news.js';
import { repairsReply } from '../gateways/http/repair-routes.js';
import type { ScrubReply } from '../gateways/http/scrub-api.js';
import { scrubReply } from '../gateways/http/scrub-routes.js';
import { ServiceClient } from '../gateways/http/service-client.js';
import { statusOf } from '../gateways/http/status-routes.js';
import { BrowserSessions } from '../gateways/web/browser-sessions.js';
import type { Entrance } from '../gateways/web/session-routes.js';
import { TokenBook } from '../gateways/web/token-book.js';
import { WebServer } from '../gateways/web/web-server.js';
import { Rounds } from '../healing/rounds.js';
import { HOME } from '../home.js';
import { SESSION_SWEEP_MS } from '../limits.js';
import { openGatewayState } from '../store/gateway-state.js';
import type { Base } from './base.js';
import type { Opened } from './opened.js';
import { Settings } from './settings.js';

/** The web UI and the HTTP API on TCP, unless the setting says `off`. */
export interface Web {
  readonly entrance: Entrance;
  readonly live: Live;
  readonly records: RecordParts;
  readonly settings: Settings;
  readonly server: WebServer | undefined;
}

/** Where the gateway runs. @throws StorageError UNAVAILABLE for a port that is taken */
export async function openWeb(base: Base, api: ApiParts, opened: Opened): Promise<Web | undefined> {
  const { config, clock: now, links } = base;
  const { gateway } = api;
  if (gateway === undefined) return undefined;
  const state = opened.keep(await openGatewayState(join(config.home, HOME.state)));
  const opening: { server?: WebServer } = {};
  const entrance: Entrance = {
    links,
    tokens: new TokenBook(state, now),
    browsers: new BrowserSessions(now),
    url: () => opening.server && urlOf(base, opening.server.port),
    now,
  };
  const live = opened.keep(openLive(base, gateway, entrance));
  opened.keep(openExpiry(base, entrance));
  const records = { history: new HistoryBook(state, now), activity: new ActivityBook(state, now), now };
  opened.keep(openObserver(base, { api, gateway, records }));
  const parts = { entrance, live, records, settings: new Settings(config) };
  if (config.web === 'off') return { ...parts, server: undefined };
  const options = { address: config.web, hosts: config.webHosts, entrance };
  const server = opened.keep(await WebServer.open({ ...options, api: { ...api, ...parts, gateway } }));
  opening.server = server;
  return { ...parts, server };
}

interface Observed {
  readonly api: ApiParts;
  readonly gateway: GatewayParts;
  readonly records: RecordParts;
}

function openObserver({ logger }: Base, { api, gateway, records }: Observed): Observer {
  const { history, activity } = records;
  const scrub = scrubSource(api);
  const repair = repairSource(api);
  const { catalog, sessions, transfers } = gateway;
  const status = (signal: AbortSignal): Promise<StatusReply> => statusOf(gateway, { user: undefined, signal, logger });
  return new Observer({ catalog, sessions, transfers, history, activity, status, scrub, repair, logger });
}

/** Here, or in the process of the File Receiver. */
function scrubSource({ receiver }: ApiParts): ((signal: AbortSignal) => Promise<ScrubReply>) | undefined {
  if (receiver === undefined) return undefined;
  if (!(receiver instanceof ServiceClient)) return async () => scrubReply(receiver.scrub);
  return async (signal) => SCRUB.parse(await receiver.json({ method: 'GET', path: '/v1/scrub', signal }));
}

/** Here, or in the process of the File Sender. */
function repairSource({ sender }: ApiParts): ((signal: AbortSignal) => Promise<RepairState>) | undefined {
  if (sender === undefined) return undefined;
  if (sender instanceof ServiceClient) {
    return async (signal) => ({
      audits: AUDITS.parse(await sender.json({ method: 'GET', path: '/v1/audits', signal })),
      repairs: REPAIRS.parse(await sender.json({ method: 'GET', path: '/v1/repairs', signal })),
    });
  }
  const { healing, engine } = sender;
  if (healing === undefined) return undefined;
  const counts = engine.telemetry.counts.repair;
  return async () => ({
    audits: auditsReply({ healing, book: engine.book }),
    repairs: repairsReply({ healing, counts }),
  });
}

/** Whoever is not signed in any more has no page open either. */
function openLive({ logger }: Base, gateway: GatewayParts, { browsers, tokens, links }: Entrance): Live {
  const { catalog, sessions, transfers, admitted } = gateway;
  const status = (user: string, signal: AbortSignal): Promise<StatusReply> =>
    statusOf(gateway, { user, signal, logger });
  const live = new Live({ catalog, sessions, transfers, status, logger });
  sessions.onEnd((user) => {
    browsers.endAll(user);
    links.drop(user);
  });
  const end = (id: string): void => {
    const ended = new StorageError('UNAUTHENTICATED', 'This session has ended. Sign in again.');
    admitted.end(({ caller }) => caller === id, ended);
    live.end(({ owner }) => owner === id, { code: ended.code, message: ended.message });
  };
  browsers.onEnd(({ id }) => {
    end(id);
  });
  tokens.onEnd(end);
  return live;
}

/** What is over by the clock alone is over for open pages and running requests, too. */
function openExpiry({ logger }: Base, { browsers, tokens }: Entrance): Rounds {
  const work = async (): Promise<void> => {
    browsers.expire();
    await tokens.expire();
  };
  const doing = 'Ending sessions and tokens that are too old';
  return new Rounds({ doing, pauseMs: () => SESSION_SWEEP_MS, isBusy: () => false, work, logger });
}

/** As a browser of this machine finds it; behind a proxy as others do. */
function urlOf({ config: { web, webHosts } }: Base, port: number): string {
  const proxied = webHosts.find((name) => !/^(localhost|127\.0\.0\.1)$/.test(name));
  if (proxied !== undefined) return `https://${proxied}`;
  const { host } = parseAddress(web);
  const isEverywhere = host === '0.0.0.0' || host === '::';
  return `http://${isEverywhere ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
