import type { FastifyInstance } from 'fastify';
import { StorageError } from '../../errors.js';
import { MAX_STATUS_PROBLEMS } from '../../limits.js';
import { findPackage } from '../../package.js';
import { schemeFor, type Scheme } from '../../peers/scheme.js';
import { safetyOf } from '../../services/peer-status.js';
import type { StatusReply } from './api.js';
import { syncOf } from './documents-status.js';
import { METRICS_TYPE, metricsText } from './metrics.js';
import { signalOf, type Routes } from './routes.js';

const { version } = findPackage();

export function statusRoutes(server: FastifyInstance, routes: Routes): void {
  server.get('/v1/metrics', async (_request, reply) => {
    void reply.type(METRICS_TYPE);
    return metricsText(await statusOf(routes, undefined, signalOf(routes, reply)));
  });
  server.get('/v1/status', async (request, reply) =>
    statusOf(routes, request.headers['x-shoal-user'], signalOf(routes, reply)),
  );
}

async function statusOf(routes: Routes, user: unknown, signal: AbortSignal): Promise<StatusReply> {
  const { engine, store, sessions, documents, logger } = routes;
  const { id, name, tolerate } = await engine.catalog.network();
  const answers = await engine.links.pingAll(signal);
  const up = new Set([...answers].filter(([, latency]) => latency !== undefined).map(([peer]) => peer));
  const self = engine.book.get(engine.self);
  await sessions.refresh();
  // A status that is asked for every few seconds keeps nobody unlocked.
  const unlocked = sessions.background().filter((session) => user === undefined || session.name === user);
  const [session] = unlocked;
  return {
    version,
    network: { id, name, ...schemeOrNone(engine.book.targets().length, tolerate) },
    peer: { id: engine.self, name: self?.name ?? '', address: self?.address ?? '', zone: self?.zone ?? '' },
    peers: engine.book.list().map(({ id: peer, name: label, address, zone, state, capacityBytes }) => {
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
    store: await store.usage(),
    users: await engine.catalog.users(),
    safety: session === undefined || unlocked.length > 1 ? null : await safetyIfUnlocked(engine, session, up),
    sync: await syncOf(documents, (peer) => engine.book.get(peer)?.name ?? peer.slice(0, 12), logger),
    outbox: { pendingDeletes: engine.outbox.pending() },
    problems: (await engine.catalog.problems()).slice(-MAX_STATUS_PROBLEMS),
  };
}

/** A session that was idle for long has been locked meanwhile; that is no failure of the status. */
async function safetyIfUnlocked(...[engine, session, up]: Parameters<typeof safetyOf>): Promise<StatusReply['safety']> {
  try {
    return await safetyOf(engine, session, up);
  } catch (error) {
    if (StorageError.is(error, 'LOCKED')) return null;
    throw error;
  }
}

/** A network that is too small to store anything still has a status. */
function schemeOrNone(peers: number, tolerate: number | undefined): Scheme {
  try {
    return schemeFor(peers, tolerate);
  } catch (error) {
    if (StorageError.is(error, 'TOO_FEW_PEERS')) return { k: 0, m: 0 };
    throw error;
  }
}
