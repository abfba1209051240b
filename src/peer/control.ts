import { z } from 'zod';
import type { Catalog } from '../catalog/catalog.js';
import { parsePeerId } from '../chunk/ids.js';
import type { Service } from '../config.js';
import { Administration } from '../enrolment/administration.js';
import { Drains, type DrainsOptions } from '../enrolment/drains.js';
import type { Engine, ReadEngine } from '../file/engine.js';
import type { PeerLinks } from '../file/peer-links.js';
import { Admitted } from '../gateways/http/admitted.js';
import type { Healing } from '../healing/healing.js';
import type { Scrub } from '../healing/scrub.js';
import type { ApiParts } from '../gateways/http/api-routes.js';
import type { MetricsParts } from '../gateways/http/metrics/gathering.js';
import { ProcessWatch } from '../gateways/http/metrics/of-process.js';
import type { GatewayParts, ReceiverParts, SenderParts } from '../gateways/http/routes.js';
import { Transfers } from '../gateways/http/transfers.js';
import { ControlServer, type ControlOptions } from '../gateways/http/server.js';
import { controlSocketOf } from '../services/service-names.js';
import type { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { SAFETY } from '../gateways/http/description/safety-replies.js';
import { safetyReply } from '../gateways/http/safety-reply.js';
import { sessionToJson } from '../gateways/http/session-header.js';
import type { UserSessions } from '../services/user-sessions.js';
import { socketPath } from '../socket-path.js';
import type { DiskStore } from '../store/disk-store.js';
import type { StoreUsage } from '../store/usage.js';
import type { Base } from './base.js';
import type { Documents } from './documents.js';
import type { EnrolmentParts } from './enrolment-service.js';
import type { MembersParts } from './members.js';
import type { Neighbours } from './neighbours.js';
import type { Opened } from './opened.js';

/** What a control socket is about: whatever of it this process has. */
export interface ControlParts {
  readonly running: ReadonlySet<Service>;
  readonly neighbours: Neighbours;
  readonly catalog?: Catalog;
  readonly members?: MembersParts;
  readonly links?: PeerLinks;
  readonly documents?: Documents;
  readonly enrolment?: EnrolmentParts | undefined;
  readonly store?: DiskStore | undefined;
  readonly sessions?: UserSessions | undefined;
  readonly receiver?: ReadEngine | undefined;
  readonly scrub?: Scrub | undefined;
  readonly sender?: Engine | undefined;
  readonly healing?: Healing | undefined;
}

/** What the API of this process is made of. */
export function apiOf(base: Base, parts: ControlParts, opened: Opened): ApiParts {
  const { running, neighbours } = parts;
  const health = { services: [...running], missing: (signal: AbortSignal) => neighbours.missing(signal) };
  const metrics = metricsOf(base, running, neighbours);
  return { health, ...gatewayOf(base, parts, opened), ...hostedOf(parts), metrics, logger: base.logger };
}

/** Only the gateway asks the others: each of them tells of itself. */
function metricsOf({ telemetry }: Base, running: ReadonlySet<Service>, neighbours: Neighbours): MetricsParts {
  const [only = 'gateway'] = running;
  return {
    process: running.size === 1 ? only : 'peer',
    telemetry,
    watch: new ProcessWatch(),
    others: running.has('gateway') ? neighbours.others(running) : [],
  };
}

/** The socket on which this process takes orders, or at least says how it is. */
export function openControl(
  { config }: Base,
  running: ReadonlySet<Service>,
  options: Omit<ControlOptions, 'socket'>,
): Promise<ControlServer> {
  const [first] = running;
  const alone = first !== undefined && running.size === 1 && config.separate.includes(first) ? first : undefined;
  const name = running.has('gateway') ? 'control' : controlSocketOf(alone, config.separate);
  return ControlServer.open({ ...options, socket: socketPath(config.home, name) });
}

const STORAGE: z.ZodType<StoreUsage> = z.object({
  chunks: z.number(),
  bytes: z.number(),
  partialBytes: z.number(),
  freeBytes: z.number(),
  reserveBytes: z.number(),
});
const AUDITED = z.object({ peers: z.array(z.object({ id: z.string(), gone: z.boolean() })) });
const OUTBOX = z.object({ pendingDeletes: z.number() });

function gatewayOf(base: Base, parts: ControlParts, opened: Opened): Pick<ApiParts, 'gateway' | 'network'> {
  const { neighbours, catalog, members, links, documents, enrolment, store, sessions, sender } = parts;
  if (!catalog || !members || !links || !documents || !enrolment || !sessions) return {};
  const { config, identity, logger, clock } = base;
  const get = (service: Service, path: string, signal: AbortSignal): Promise<unknown> =>
    neighbours.client(service).json({ method: 'GET', path, signal });
  const gateway: GatewayParts = {
    self: identity.id,
    catalog,
    book: members.book,
    links,
    sessions,
    documents,
    transfers: new Transfers(clock),
    admitted: new Admitted(sessions),
    usage: async (signal) => store?.usage() ?? STORAGE.parse(await get('file-receiver', '/v1/storage', signal)),
    pendingDeletes: async (signal) =>
      sender?.outbox.pending() ?? OUTBOX.parse(await get('file-sender', '/v1/outbox', signal)).pendingDeletes,
    safety: safetyOf(neighbours, parts.healing, members.book),
    missing: (signal) => neighbours.missing(signal),
  };
  const { membership } = identity;
  const administration = new Administration({ home: config.home, membership, ...enrolment, catalog, logger });
  const gone = goneOf(neighbours, parts.healing, members.book);
  const draining = { home: config.home, administration, catalog, book: members.book, links, gone };
  const drains = opened.keep(new Drains({ ...draining, clock, logger }));
  return { gateway, network: { administration, drains, links, nowMs: clock } };
}

/** Here, or in the process of the File Sender. */
function safetyOf(neighbours: Neighbours, healing: Healing | undefined, book: PeerBook): GatewayParts['safety'] {
  if (healing !== undefined) return (question) => safetyReply({ healing, book }, question);
  return async ({ session, up, files }, signal) => {
    const body = { session: sessionToJson(session), up: [...up], files };
    return SAFETY.nullable().parse(
      await neighbours.client('file-sender').json({ method: 'POST', path: '/v1/safety', signal }, body),
    );
  };
}

/** Here, or in the process of the File Sender. */
function goneOf(neighbours: Neighbours, healing: Healing | undefined, book: PeerBook): DrainsOptions['gone'] {
  if (healing !== undefined) {
    const isGone = ({ id }: PeerRecord): boolean => healing.liveness.isGone(id);
    return () =>
      Promise.resolve(
        new Set(
          book
            .list()
            .filter(isGone)
            .map(({ id }) => id),
        ),
      );
  }
  return async (signal) => {
    const call = { method: 'GET', path: '/v1/audits', signal } as const;
    const { peers } = AUDITED.parse(await neighbours.client('file-sender').json(call));
    return new Set(peers.filter(({ gone }) => gone).map(({ id }) => parsePeerId(id)));
  };
}

function hostedOf(parts: ControlParts): Pick<ApiParts, 'sender' | 'receiver'> {
  const { running, neighbours, sender, healing, receiver, store, scrub } = parts;
  const isGateway = running.has('gateway');
  const sending: SenderParts | undefined = sender && { engine: sender, healing };
  const receiving: ReceiverParts | undefined = receiver && store && scrub && { engine: receiver, store, scrub };
  return {
    ...(sending !== undefined ? { sender: sending } : isGateway && { sender: neighbours.client('file-sender') }),
    ...(receiving !== undefined
      ? { receiver: receiving }
      : isGateway && { receiver: neighbours.client('file-receiver') }),
  };
}
