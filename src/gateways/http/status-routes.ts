import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { PeerId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import { MAX_STATUS_PROBLEMS, MAX_WORST_FILES, STATUS_WORST_FILES } from '../../limits.js';
import type { Logger } from '../../log.js';
import { findPackage } from '../../package.js';
import type { StatusReply } from './api.js';
import { syncOf } from './documents-status.js';
import { ifAnswered } from './if-answered.js';
import type { GatewayFamilies } from './metrics/metrics-routes.js';
import { familiesOfStatus } from './metrics/of-status.js';
import { check } from './requests.js';
import type { SafetyReply } from './safety-api.js';
import { type GatewayParts, signalOf, type Routes } from './routes.js';
import { schemeOrNone } from './scheme-or-none.js';

const { version } = findPackage();

export const SAFETY_REQUESTS = {
  safety: z.strictObject({
    files: z.coerce.number().pipe(z.number().int().min(0).max(MAX_WORST_FILES)).default(100),
  }),
} as const;

export function statusRoutes(server: FastifyInstance, routes: Routes, parts: GatewayParts): void {
  const { logger } = routes;
  server.get('/v1/status', async (request, reply) =>
    statusOf(parts, { user: routes.userOf(request), signal: signalOf(routes, reply), logger }),
  );

  server.get('/v1/safety', async (request, reply): Promise<SafetyReply> => {
    const { files } = check(SAFETY_REQUESTS.safety, request.query);
    const session = routes.sessionOf(request);
    const signal = signalOf(routes, reply, session);
    const found = await parts.safety({ session, up: whoAnswers(await parts.links.pingAll(signal)), files }, signal);
    if (found === null) throw new StorageError('LOCKED', 'The user was locked meanwhile.');
    return found;
  });
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
  const { catalog, book, sessions, documents, safety } = parts;
  const { id, name, tolerate } = await catalog.network();
  const answers = await parts.links.pingAll(signal);
  const up = whoAnswers(answers);
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
    safety:
      session === undefined || unlocked.length > 1
        ? null
        : ((await ifAnswered(safety({ session, up, files: STATUS_WORST_FILES }, signal), signal)) ?? null),
    sync: await syncOf(documents, (peer) => book.nameOf(peer), logger),
    outbox: { pendingDeletes: (await ifAnswered(parts.pendingDeletes(signal), signal)) ?? null },
    missing: await parts.missing(signal),
    problems: (await catalog.problems()).slice(-MAX_STATUS_PROBLEMS),
  };
}

function whoAnswers(answers: ReadonlyMap<PeerId, number | undefined>): ReadonlySet<PeerId> {
  return new Set([...answers].filter(([, latencyMs]) => latencyMs !== undefined).map(([peer]) => peer));
}
