import type { PeerReply, StatusReply } from '../api/types.js';

export type PeerLook = 'up' | 'down' | 'draining';

/** How a peer is shown. */
export function lookOf({ up, state }: Pick<PeerReply, 'up' | 'state'>): PeerLook {
  if (up === false) return 'down';
  return state === 'draining' ? 'draining' : 'up';
}

/** Those that belong to the network, as it knows them, with what the newest status says of who is up. */
export function membersOf(peers: readonly PeerReply[], status: Pick<StatusReply, 'peers'> | null): PeerReply[] {
  const live = new Map(status?.peers.map((peer) => [peer.id, peer]) ?? []);
  return peers
    .map((peer) => {
      const now = live.get(peer.id);
      if (now === undefined) return peer;
      // Who is up, events tell at once; how far away somebody is, they tell only then.
      return { ...peer, up: now.up, latencyMs: now.up ? (peer.latencyMs ?? now.latencyMs) : null, state: now.state };
    })
    .filter(({ state }) => state !== 'removed')
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

export interface HostSync {
  readonly host: string;
  readonly name: string;
  readonly phase: 'copied' | 'copying' | 'failing' | 'connecting';
  /** Changes to go, an upper bound. */
  readonly pending: number;
  /** Databases that wait because of a failure. */
  readonly failing: number;
  readonly refused: number;
  readonly error: string | null;
  readonly lastSuccessMs: number | null;
}

/** How the catalog stands with each backup host. */
export function syncByHost({ streams }: Pick<StatusReply['sync'], 'streams'>): HostSync[] {
  const hosts = new Map<string, (typeof streams)[number][]>();
  for (const stream of streams) hosts.set(stream.host, [...(hosts.get(stream.host) ?? []), stream]);
  return [...hosts].map(([host, own]) => {
    const failing = own.filter(({ phase }) => phase === 'failing');
    const isIdle = own.every(({ phase }) => phase === 'waiting');
    const isNew = own.every(({ phase }) => phase === 'connecting');
    const times = own.flatMap(({ lastSuccessMs }) => (lastSuccessMs === null ? [] : [lastSuccessMs]));
    return {
      host,
      name: own[0]?.hostName ?? host.slice(0, 12),
      phase: failing.length > 0 ? 'failing' : isIdle ? 'copied' : isNew ? 'connecting' : 'copying',
      pending: own.reduce((sum, { pending }) => sum + (pending ?? 0), 0),
      failing: new Set(failing.map(({ database }) => database)).size,
      refused: own.reduce((sum, { refused }) => sum + refused, 0),
      error: failing.find(({ error }) => error !== null)?.error ?? null,
      lastSuccessMs: times.length === 0 ? null : Math.max(...times),
    };
  });
}
