import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { PeerId } from '../../chunk/ids.js';
import { readCertificate } from '../../crypto/peer-identity.js';
import type { Administration, NetworkSummary } from '../../enrolment/administration.js';
import type { Drains, DrainStatus } from '../../enrolment/drains.js';
import type { Invitation } from '../../enrolment/invitations.js';
import { StorageError } from '../../errors.js';
import type { PeerLinks } from '../../file/peer-links.js';
import { MAX_INVITATION_LIFETIME_MS, MAX_PEER_TEXT_CHARS } from '../../limits.js';
import type { PeerProfile, PeerRecord } from '../../peers/peer-record.js';
import type { DrainReply, InvitationReply, InvitedReply, NetworkReply, PeerReply } from './network-api.js';
import { timeOf } from './replies.js';
import { check } from './requests.js';
import { signalOf, type Routes } from './routes.js';
import { schemeOrNone } from './scheme-or-none.js';

/** What these routes work with. */
export interface NetworkParts {
  readonly administration: Administration;
  readonly drains: Drains;
  readonly links: Pick<PeerLinks, 'pingAll'>;
  /** Unix time. */
  readonly nowMs: () => number;
}

const text = z.string().max(MAX_PEER_TEXT_CHARS);
export const NETWORK_REQUESTS = {
  peer: z.strictObject({ peer: text.min(1) }),
  drain: z.strictObject({
    peer: text.min(1),
    force: z.boolean().default(false),
    cancel: z.boolean().default(false),
  }),
  own: z.strictObject({
    address: text.optional(),
    name: text.optional(),
    zone: text.optional(),
    capacityBytes: z.number().int().positive().max(Number.MAX_SAFE_INTEGER).optional(),
    backup: z.boolean().optional(),
  }),
  invite: z.strictObject({
    lifetimeMs: z.number().positive().max(MAX_INVITATION_LIFETIME_MS).optional(),
    authority: z.boolean().optional(),
    note: text.optional(),
  }),
  invitation: z.strictObject({ id: z.string().max(64) }),
} as const;

/** The network and its peers: network-api.ts. */
export function networkRoutes(
  server: FastifyInstance,
  routes: Pick<Routes, 'stopping' | 'allowed'>,
  parts: NetworkParts,
): void {
  const { administration, drains, links, nowMs } = parts;
  const known = async (): Promise<Known> => ({
    network: await administration.network(),
    peers: await administration.peers(),
  });

  server.get('/v1/network', async () => networkReply(await known(), administration.self));

  server.get('/v1/peers', async (_request, reply) => {
    const signal = signalOf(routes, reply);
    const { network, peers } = await known();
    const answers = await links.pingAll(signal);
    return peers.map((peer) => peerReply(peer, network, answers));
  });

  server.post('/v1/peers/remove', async (request) => {
    const { peer } = check(NETWORK_REQUESTS.peer, request.body);
    return peerReply(await administration.remove(peer), await administration.network());
  });

  server.post('/v1/peers/drain', async (request, reply) => {
    const { peer, force, cancel } = check(NETWORK_REQUESTS.drain, request.body);
    const signal = signalOf(routes, reply);
    const status = cancel ? await drains.cancel(peer) : await drains.begin(peer, force, signal);
    return drainReply(status, await administration.network());
  });

  server.get('/v1/peers/drain', async (request) => {
    const { peer } = check(NETWORK_REQUESTS.peer, request.query);
    return drainReply(await drains.status(peer), await administration.network());
  });

  server.post('/v1/peer', async (request) => {
    const changes = withoutUndefined(check(NETWORK_REQUESTS.own, request.body));
    const next = { ...(await administration.setOwn(changes)), state: 'member' as const };
    return peerReply(next, await administration.network());
  });

  server.get('/v1/invitations', async () =>
    administration.invitations.list().map((each) => invitationReply(each, nowMs())),
  );

  server.post('/v1/invitations', async (request): Promise<InvitedReply> => {
    const { token, invitation } = await administration.invite(check(NETWORK_REQUESTS.invite, request.body));
    return { ...invitationReply(invitation, nowMs()), token };
  });

  server.delete('/v1/invitations', async (request, reply) => {
    await administration.invitations.revoke(check(NETWORK_REQUESTS.invitation, request.query).id);
    return reply.code(204).send();
  });
}

interface Known {
  readonly network: NetworkSummary;
  readonly peers: readonly PeerRecord[];
}

function networkReply({ network, peers }: Known, self: PeerId): NetworkReply {
  const members = peers.filter(({ state }) => state !== 'removed');
  const own = peers.find(({ id }) => id === self);
  if (own === undefined) {
    throw new StorageError(
      'UNAUTHENTICATED',
      'The network does not know this peer any more: its certificate has expired. Join again with a new invitation.',
    );
  }
  const names = (of: (peer: PeerProfile) => boolean): string[] =>
    members
      .filter(of)
      .map(({ name }) => name)
      .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return {
    id: network.id,
    name: network.name,
    fingerprint: network.fingerprint,
    authorityUntil: timeOf(network.authorityUntilMs),
    tolerate: network.tolerate ?? null,
    ...schemeOrNone(members.filter(({ state }) => state === 'member').length, network.tolerate),
    members: members.length,
    removed: peers.length - members.length,
    authorities: names(({ id }) => network.authorities.includes(id)),
    backupHosts: names(({ backup }) => backup),
    peer: peerReply(own, network),
  };
}

function peerReply(
  peer: PeerRecord,
  { authorities }: NetworkSummary,
  answers?: ReadonlyMap<PeerId, number | undefined>,
): PeerReply {
  const { id, name, address, zone, capacityBytes, state, backup, certificate } = peer;
  const latencyMs = answers?.get(id) ?? null;
  return {
    id,
    name,
    address,
    zone,
    capacityBytes,
    state,
    backup,
    authority: authorities.includes(id) && state !== 'removed',
    up: answers === undefined || state === 'removed' ? null : latencyMs !== null,
    latencyMs,
    until: new Date(readCertificate(certificate).validTo).toISOString(),
  };
}

function drainReply({ peer, ...status }: DrainStatus, network: NetworkSummary): DrainReply {
  const { phase, forced, left, totalBytes, secondsLeft, staying, reason } = status;
  return {
    peer: peerReply(peer, network),
    ...{ phase, forced, left: left ?? null, totalBytes, secondsLeft: secondsLeft ?? null, staying },
    reason: reason ?? null,
  };
}

function invitationReply(
  { id, note, authority, createdMs, expiresMs, usedBy }: Invitation,
  nowMs: number,
): InvitationReply {
  const state = usedBy !== undefined ? 'used' : expiresMs <= nowMs ? 'expired' : 'open';
  const [created, expires] = [timeOf(createdMs), timeOf(expiresMs)];
  return { id, note, authority, created, expires, state, peer: usedBy ?? null };
}

/** A field that is there and undefined would wipe out what it is to change. */
function withoutUndefined<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
