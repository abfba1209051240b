/** For tests: a peer of three that is as it should be. */
import { sampleSafety } from '../../gateways/http/sample-safety.js';
import type { StatusReply } from '../../gateways/http/api.js';

type PeerReply = StatusReply['peers'][number];

export function samplePeer(name: string, up = true): PeerReply {
  const address = `${name}.example:8485`;
  return { id: name, name, address, zone: 'z', state: 'member', up, capacityBytes: 1, latencyMs: up ? 1 : null };
}

export function sampleStream(
  changes: Partial<StatusReply['sync']['streams'][number]> = {},
): StatusReply['sync']['streams'][number] {
  return {
    host: 'ab'.repeat(32),
    hostName: 'attic',
    database: 'network',
    direction: 'push',
    phase: 'waiting',
    sequence: '7-0',
    pending: 0,
    written: 12,
    refused: 0,
    error: null,
    lastSuccessMs: 1_500_000,
    ...changes,
  };
}

export function sampleStatus(changes: Partial<StatusReply> = {}): StatusReply {
  return {
    version: '1.0.0',
    network: { id: 'n', name: 'home', k: 2, m: 1 },
    peer: { id: 'attic', name: 'attic', address: 'attic.example:8485', zone: 'z' },
    peers: ['attic', 'cellar', 'garage'].map((name) => samplePeer(name)),
    store: { chunks: 3, bytes: 300, partialBytes: 0, freeBytes: 1000, reserveBytes: 1 },
    users: [],
    safety: sampleSafety({ stripes: 4 }),
    sync: { error: null, streams: [sampleStream()], damaged: [] },
    outbox: { pendingDeletes: 0 },
    missing: [],
    problems: [],
    ...changes,
  };
}
