import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ERRORS, wrapError } from '../../errors.js';
import type { Logger } from '../../log.js';
import { type Entrance, linkRoutes, sessionRoutes } from '../web/session-routes.js';
import type { ProblemReply } from './api.js';
import { archiveRoutes } from './archive-routes.js';
import { downloadRoutes, uploadRoutes } from './content-routes.js';
import { draftRoutes } from './draft-routes.js';
import { entryRoutes } from './entry-routes.js';
import { exportRoutes } from './export-routes.js';
import { forwardRoutes } from './forward.js';
import { healthRoutes, type HealthSource } from './health-routes.js';
import { importRoutes } from './import-routes.js';
import type { MetricsParts } from './metrics/gathering.js';
import { metricsRoutes } from './metrics/metrics-routes.js';
import { networkRoutes, type NetworkParts } from './network-routes.js';
import { compactionRoutes } from './compaction-routes.js';
import { garbageRoutes } from './garbage-routes.js';
import { auditRoutes } from './audit-routes.js';
import { holdingsRoutes } from './holdings-routes.js';
import { repairRoutes } from './repair-routes.js';
import { recoveryRoutes } from './recovery-routes.js';
import { recordRoutes, type RecordParts } from './record-routes.js';
import { removalRoutes } from './removal-routes.js';
import type { Live } from './live.js';
import { liveRoutes } from './live-routes.js';
import { watchTransfers } from './transfer-hooks.js';
import type { Audience, GatewayParts, ReceiverParts, Routes, SenderParts } from './routes.js';
import { scrubRoutes } from './scrub-routes.js';
import { receiverRoutes, senderRoutes } from './service-routes.js';
import { ServiceClient } from './service-client.js';
import { policyRoutes, settingsRoutes, type SettingsSource } from './settings-routes.js';
import { gatewayFamilies, statusRoutes } from './status-routes.js';
import { sshKeyRoutes } from './ssh-key-routes.js';
import { userRoutes } from './user-routes.js';

/** What answers the API: whatever of it this process has. */
export interface ApiParts {
  readonly health: HealthSource;
  /** Where the gateway runs. Elsewhere, requests come from it and name their session. */
  readonly gateway?: GatewayParts;
  /** Of the gateway. Absent: nothing is told of the network, and nobody invited. */
  readonly network?: NetworkParts;
  /** Of the gateway: who may come in from TCP. */
  readonly entrance?: Entrance;
  /** Of the gateway. */
  readonly settings?: SettingsSource;
  /** Of the gateway: what it has measured, and seen. */
  readonly records?: RecordParts;
  /** Of the gateway: what open pages are told. */
  readonly live?: Live;
  /** The File Sender in this process; for the gateway also: where to reach it. */
  readonly sender?: SenderParts | ServiceClient;
  /** The File Receiver in this process; for the gateway also: where to reach it. */
  readonly receiver?: ReceiverParts | ServiceClient;
  /** Absent: nothing is told of what this process has done. */
  readonly metrics?: MetricsParts;
  readonly logger: Logger;
}

/** Bytes of a JSON request: an export of MAX_EXPORT_ITEMS paths. */
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** Streams are read by their routes; only JSON is read whole. */
export function takeStreams(server: FastifyInstance): void {
  for (const type of ['application/octet-stream', 'application/x-ndjson']) {
    server.addContentTypeParser(type, (_request, payload, done) => {
      done(null, payload);
    });
  }
}

/** Failures as a ProblemReply. */
export function tellProblems(server: FastifyInstance, logger: Logger): void {
  server.setErrorHandler(async (error, _request, reply) => {
    const { code, message } = problemOf(error, logger);
    await reply.code(ERRORS[code].http).send({ code, message } satisfies ProblemReply);
  });
}

/** What is not there, likewise. */
export function tellNothing(server: FastifyInstance): void {
  server.setNotFoundHandler(async (request, reply) => {
    await reply.code(404).send(nothingAt(request));
  });
}

export function nothingAt({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): ProblemReply {
  return { code: 'NOT_FOUND', message: `There is no ${method} ${url.slice(0, 100)} here.` };
}

/** All routes of the API (api.ts, network-api.ts) that this process can answer, from /v1 on. */
export function addRoutes(server: FastifyInstance, parts: ApiParts, routes: Routes, audience: Audience): void {
  const { health, gateway, network, entrance, live, sender, receiver, metrics } = parts;
  const isLocal = audience === 'local';
  healthRoutes(server, routes, health);
  if (metrics !== undefined) {
    const ofGateway = gateway && gatewayFamilies(gateway, routes.logger);
    metricsRoutes(server, routes, { metrics, ofGateway });
  }
  if (gateway !== undefined) {
    statusRoutes(server, routes, gateway);
    userRoutes(server, routes, gateway, audience);
    sshKeyRoutes(server, routes, gateway, audience);
    entryRoutes(server, routes, gateway);
    watchTransfers(server, routes, gateway.transfers);
    if (live !== undefined) liveRoutes(server, routes, { live, transfers: gateway.transfers });
    if (network !== undefined) {
      networkRoutes(server, routes, network);
      policyRoutes(server, network.administration);
    }
    if (parts.settings !== undefined) settingsRoutes(server, parts.settings);
    if (parts.records !== undefined) recordRoutes(server, parts.records);
    if (isLocal && entrance !== undefined) entranceRoutes(server, routes, { gateway, entrance });
  }
  if (sender instanceof ServiceClient) {
    forwardRoutes(server, routes, { service: 'file-sender', client: sender, audience });
  } else if (sender !== undefined) {
    uploadRoutes(server, routes, sender);
    draftRoutes(server, routes, sender);
    if (isLocal) importRoutes(server, routes, sender);
    removalRoutes(server, routes, sender);
    garbageRoutes(server, routes, sender);
    compactionRoutes(server, routes, sender);
    recoveryRoutes(server, routes, sender);
    healingRoutes(server, routes, sender);
    if (gateway === undefined) senderRoutes(server, routes, sender);
  }
  if (receiver instanceof ServiceClient) {
    forwardRoutes(server, routes, { service: 'file-receiver', client: receiver, audience });
  } else if (receiver !== undefined) {
    downloadRoutes(server, routes, receiver);
    archiveRoutes(server, routes, receiver);
    if (isLocal) exportRoutes(server, routes, receiver);
    scrubRoutes(server, routes, receiver);
    if (gateway === undefined) receiverRoutes(server, receiver);
  }
}

/** Other peers, watched and repaired. */
function healingRoutes(server: FastifyInstance, routes: Routes, { engine, healing }: SenderParts): void {
  if (healing === undefined) return;
  auditRoutes(server, routes, { healing, book: engine.book });
  holdingsRoutes(server, routes, { healing, book: engine.book });
  repairRoutes(server, routes, { healing, counts: engine.telemetry.counts.repair });
}

interface EntranceParts {
  readonly gateway: GatewayParts;
  readonly entrance: Entrance;
}

/** For whoever is at the machine itself. */
function entranceRoutes(server: FastifyInstance, routes: Routes, { gateway, entrance }: EntranceParts): void {
  sessionRoutes(server, routes, entrance);
  linkRoutes(server, entrance, (request, user) => {
    const name = user ?? routes.userOf(request);
    return name === undefined && gateway.sessions.list().length === 0 ? undefined : gateway.sessions.get(name);
  });
}

function problemOf(error: unknown, logger: Logger): ProblemReply {
  if (
    error instanceof Error &&
    'statusCode' in error &&
    typeof error.statusCode === 'number' &&
    error.statusCode < 500
  ) {
    const code = error.statusCode === 413 ? 'LIMIT_EXCEEDED' : 'INVALID_ARGUMENT';
    return { code, message: error.message };
  }
  const wrapped = wrapError(error, 'The request');
  if (wrapped.code === 'INTERNAL') logger.error({ err: error }, 'request failed');
  return { code: wrapped.code, message: wrapped.message };
}
