import type { StatusReply } from '../api.js';
import { family, single, type Family, type Sample } from './family.js';

/** What the gateway knows of the peer and of its network. */
export function familiesOfStatus(status: StatusReply, nowMs: number): readonly Family[] {
  return [
    family('build_info', [{ labels: { version: status.version }, value: 1 }]),
    ...ofPeers(status),
    ...ofStore(status),
    ...ofUsers(status),
    ...ofSafety(status, nowMs),
    ...ofSync(status, nowMs),
  ];
}

function ofPeers({ peers }: StatusReply): Family[] {
  const present = peers.filter(({ state }) => state !== 'removed');
  const each = (value: (peer: StatusReply['peers'][number]) => number | null): Sample[] =>
    present.flatMap((peer) => labelled({ peer: peer.name }, value(peer)));
  return [
    family(
      'peer_up',
      each(({ up }) => (up ? 1 : 0)),
    ),
    family(
      'peer_latency_seconds',
      each(({ latencyMs }) => (latencyMs === null ? null : latencyMs / 1000)),
    ),
    family(
      'peer_capacity_bytes',
      each(({ capacityBytes }) => capacityBytes),
    ),
  ];
}

function ofStore({ store, outbox }: StatusReply): Family[] {
  return [
    single('store_chunks', store?.chunks ?? null),
    single('store_bytes', store?.bytes ?? null),
    single('store_partial_bytes', store?.partialBytes ?? null),
    single('store_free_bytes', store?.freeBytes ?? null),
    single('store_reserve_bytes', store?.reserveBytes ?? null),
    single('outbox_deletes', outbox.pendingDeletes),
  ];
}

/** What may fail is known only while one user is unlocked: nobody else can tell. */
function ofUsers({ users, safety }: StatusReply): Family[] {
  return [
    single('users_unlocked', users.filter(({ unlocked }) => unlocked).length),
    single('stripes', safety?.stripes ?? null),
    single('stripes_degraded', safety?.degraded ?? null),
    single('stripes_lost', safety?.lost ?? null),
    single('peers_may_fail', safety?.mayFail ?? null),
  ];
}

const FILE_STATES = { healthy: 'healthy', degraded: 'degraded', at_risk: 'atRisk', lost: 'lost' } as const;

function ofSafety({ safety }: StatusReply, nowMs: number): Family[] {
  const { files, machines = [], compared = null, zonesMayFail = null } = safety ?? {};
  const states = (value: 'files' | 'bytes'): Sample[] =>
    Object.entries(FILE_STATES).flatMap(([state, name]) => labelled({ state }, files?.[name][value] ?? null));
  const each = (value: (machine: (typeof machines)[number]) => number | null): Sample[] =>
    machines.flatMap((machine) => labelled({ peer: machine.name }, value(machine)));
  return [
    single('zones_may_fail', zonesMayFail),
    family(
      'peer_may_fail',
      each(({ mayFail }) => (mayFail === null ? null : Number(mayFail))),
    ),
    family(
      'peer_denied_chunks',
      each(({ denied }) => denied),
    ),
    single('holdings_age_seconds', compared === null ? null : Math.max(0, nowMs - Date.parse(compared)) / 1000),
    family('files', states('files')),
    family('files_bytes', states('bytes')),
    single('files_waiting', files?.waiting.files ?? null),
  ];
}

type Stream = StatusReply['sync']['streams'][number];

function ofSync({ sync: { streams, damaged }, problems }: StatusReply, nowMs: number): Family[] {
  const each = (value: (stream: Stream) => number | null): Sample[] =>
    streams.flatMap((stream) => {
      const { hostName: host, database, direction } = stream;
      return labelled({ host, database, direction }, value(stream));
    });
  return [
    family(
      'sync_failing',
      each(({ phase }) => (phase === 'failing' ? 1 : 0)),
    ),
    family(
      'sync_pending',
      each(({ pending }) => pending),
    ),
    family(
      'sync_lag_seconds',
      each((stream) => lagOf(stream, nowMs)),
    ),
    family(
      'sync_last_success_seconds',
      each(({ lastSuccessMs }) => (lastSuccessMs === null ? null : lastSuccessMs / 1000)),
    ),
    family(
      'sync_written_total',
      each(({ written }) => written),
    ),
    family(
      'sync_refused_total',
      each(({ refused }) => refused),
    ),
    single('databases_damaged', damaged.length),
    single('record_problems', problems.length),
  ];
}

/** A replication that waits has copied all there is. One that never worked is behind by nobody knows how much. */
function lagOf({ phase, lastSuccessMs }: Stream, nowMs: number): number | null {
  if (phase === 'waiting') return 0;
  return lastSuccessMs === null ? null : Math.max(0, nowMs - lastSuccessMs) / 1000;
}

function labelled(labels: Readonly<Record<string, string>>, value: number | null): Sample[] {
  return value === null ? [] : [{ labels, value }];
}
