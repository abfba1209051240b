import type { FastifyInstance } from 'fastify';
import { StorageError } from '../../errors.js';
import { MAX_STATUS_PROBLEMS } from '../../limits.js';
import type { Logger } from '../../log.js';
import { findPackage } from '../../package.js';
import { safetyOf } from '../../services/peer-status.js';
import type { StatusReply } from './api.js';
import { syncOf } from './documents-status.js';
import { ifAnswered } from './if-answered.js';
import type { GatewayFamilies } from './metrics/metrics-routes.js';
import { familiesOfStatus } from './metrics/of-status.js';
import { type GatewayParts, signalOf, type Routes } from './routes.js';
import { schemeOrNone } from './scheme-or-none.js';

const { version } = findPackage();

export function statusRoutes(server: FastifyInstance, routes: Routes, parts: GatewayParts): void {
  const { logger } = routes;
  server.get('/v1/status', async (request, reply) =>
    statusOf(parts, { user: routes.userOf(request), signal: signalOf(routes, reply), logger }),
  );
}

/** What of the status is metrics. */
export function gatewayFamilies(parts: GatewayParts, logger: Logger): GatewayFamilies {
  return async (signal) => familiesOfStatus(await statusOf(parts, { user: undefined, signal, logger }), Date.now());
}

interface Asked {
  readonly user: string | undefined;
  readonly signal: AbortSignal;
  readonly logger: Logger;
}

/** @param asked about which user: the only one unlocked unless one is named */
export async function statusOf(parts: GatewayParts, { user, signal, logger }: Asked): Promise<StatusReply> {
  const { catalog, book, sessions, documents } = parts;
  const { id, name, tolerate } = await catalog.network();
  const answers = await parts.links.pingAll(signal);
  const up = new Set([...answers].filter(([, latency]) => latency !== undefined).map(([peer]) => peer));
  const self = book.get(parts.self);
  await sessions.refresh();
  // A status that is asked for every few seconds keeps nobody unlocked.
  const unlocked = sessions.background().filter((session) => user === undefined || session.name === user);
  const [session] = unlocked;
  return {
    version,
    network: { id, name, ...schemeOrNone(book.targets().length, tolerate) },
    peer: { id: parts.self, name: self?.name ?? '', address: self?.address ?? '', zone: self?.zone ?? '' },
    peers: book.list().map(({ id: peer, name: label, address, zone, state, capacityBytes }) => {
      const latencyMs = answers.get(peer);
      return {
        id: peer,
        name: label,
        address,
        zone,
        state,
        up: up.has(peer),
        capacityBytes,
        latencyMs: latencyMs ?? null,
      };
    }),
    store: (await ifAnswered(parts.usage(signal), signal)) ?? null,
    users: await catalog.users(),
    safety: session === undefined || unlocked.length > 1 ? null : await safetyIfUnlocked(catalog, session, up),
    sync: await syncOf(documents, (peer) => book.get(peer)?.name ?? peer.slice(0, 12), logger),
    outbox: { pendingDeletes: (await ifAnswered(parts.pendingDeletes(signal), signal)) ?? null },
    missing: await parts.missing(signal),
    problems: (await catalog.problems()).slice(-MAX_STATUS_PROBLEMS),
  };
}

/** A session that was idle for long has been locked meanwhile; that is no failure of the status. */
async function safetyIfUnlocked(
  ...[catalog, session, up]: Parameters<typeof safetyOf>
): Promise<StatusReply['safety']> {
  try {
    return await safetyOf(catalog, session, up);
  } catch (error) {
    if (StorageError.is(error, 'LOCKED')) return null;
    throw error;
  }
}
