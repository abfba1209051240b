import type { PeerReply, StatusReply } from '../api/types.js';
import { formatBytes, formatDay } from '../format.js';
import { HEALTH } from '../strings-health.js';
import { syncByHost } from '../network/peers.js';

export interface Problem {
  readonly tone: 'warn' | 'bad';
  readonly title: string;
  /** What to do, or why it is so. */
  readonly hint: string;
}

/** Certificates are renewed a month before they end: one that is so near has not been. */
const CERTIFICATE_DAYS = 14;
const DAY_MS = 86_400_000;
/** Below this the next file of some size may not find room. */
const LITTLE_BYTES = 2e9;

/** Everything that somebody should look at, the worst first. */
export function problemsOf(status: StatusReply, peers: readonly PeerReply[], nowMs: number): Problem[] {
  const found = [...ownProblems(status), ...peerProblems(status, peers, nowMs), ...catalogProblems(status)];
  return found.sort((a, b) => (a.tone === b.tone ? 0 : a.tone === 'bad' ? -1 : 1));
}

function ownProblems({ missing, store }: StatusReply): Problem[] {
  const { problem } = HEALTH;
  const left = store === null ? LITTLE_BYTES : store.freeBytes - store.reserveBytes;
  return [
    ...missing.map(
      ({ service, message }) => ({ tone: 'bad', title: problem.service(service), hint: message }) as const,
    ),
    ...(left < LITTLE_BYTES
      ? [{ tone: 'warn', title: problem.full, hint: problem.fullHint(formatBytes(Math.max(0, left))) } as const]
      : []),
  ];
}

function peerProblems({ peers: live }: StatusReply, peers: readonly PeerReply[], nowMs: number): Problem[] {
  const { problem } = HEALTH;
  const down = live.filter(({ state, up }) => state !== 'removed' && !up);
  const members = peers.filter(({ state }) => state !== 'removed');
  const ending = members.filter(({ until }) => Date.parse(until) - nowMs < CERTIFICATE_DAYS * DAY_MS);
  const hosts = members.filter(({ backup }) => backup).length;
  return [
    ...down.map(({ name }) => ({ tone: 'warn', title: problem.down(name), hint: problem.downHint }) as const),
    ...ending.map(
      ({ name, until }) =>
        ({ tone: 'warn', title: problem.certificate(name), hint: problem.certificateHint(formatDay(until)) }) as const,
    ),
    ...(hosts === 1 && members.length > 1
      ? [{ tone: 'warn', title: problem.noBackup, hint: problem.noBackupHint } as const]
      : []),
  ];
}

function catalogProblems({ sync, safety, problems, peers }: StatusReply): Problem[] {
  const { problem } = HEALTH;
  const lost = safety?.lost ?? 0;
  const isDown = (id: string): boolean => peers.some((peer) => peer.id === id && !peer.up);
  // Of a host that is down, that is said already.
  const failing = syncByHost(sync).filter(({ phase, host }) => phase === 'failing' && !isDown(host));
  return [
    ...(sync.error === null ? [] : [{ tone: 'bad', title: problem.sync(''), hint: sync.error } as const]),
    ...failing.map(({ name, error }) => ({ tone: 'warn', title: problem.sync(name), hint: error ?? '' }) as const),
    ...sync.damaged.map(
      ({ name, movedTo }) =>
        ({ tone: 'warn', title: problem.damaged(name), hint: problem.damagedHint(movedTo) }) as const,
    ),
    ...(lost === 0 ? [] : [{ tone: 'bad', title: problem.lost(lost), hint: problem.lostHint } as const]),
    ...problems.map(
      ({ kind, document, reason }) =>
        ({
          tone: kind === 'lost' ? 'bad' : 'warn',
          title: problem.record[kind],
          hint: `${document}: ${reason}`,
        }) as const,
    ),
  ];
}
