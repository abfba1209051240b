import type { AuditsReply, PeerReply, ScrubReply, StatusReply } from '../api/types.js';
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

/** What is known of a network; null what has not come, or its service does not answer. */
export interface Known {
  readonly status: StatusReply;
  readonly peers: readonly PeerReply[];
  readonly audits: AuditsReply | null;
  readonly scrub: ScrubReply | null;
}

/** A disk that rots in more places than this, since its peer was started, is to be replaced. */
const MANY_SEGMENTS = 8;

/** Everything that somebody should look at, the worst first. */
export function problemsOf({ status, peers, audits, scrub }: Known, nowMs: number): Problem[] {
  const found = [
    ...ownProblems(status),
    ...diskProblems(scrub),
    ...peerProblems(status, peers, nowMs),
    ...healingProblems(status, audits),
    ...catalogProblems(status),
  ];
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

/** Of this machine's own: of others, the page of each tells. */
function diskProblems(scrub: ScrubReply | null): Problem[] {
  const { problem } = HEALTH;
  const { healedSegments = 0 } = scrub?.totals ?? {};
  return [
    ...(healedSegments > MANY_SEGMENTS
      ? [{ tone: 'warn', title: problem.rotting(healedSegments), hint: problem.rottingHint } as const]
      : []),
    ...(scrub !== null && scrub.damaged > 0
      ? [{ tone: 'warn', title: problem.unmended(scrub.damaged), hint: problem.unmendedHint } as const]
      : []),
  ];
}

/** Machines that are gone, distrusted, or have lost something: why, and what to do next. */
function healingProblems({ safety }: StatusReply, audits: AuditsReply | null): Problem[] {
  const { problem } = HEALTH;
  return (safety?.machines ?? []).flatMap(({ id, name, standing, denied }): Problem[] => {
    const counts = audits?.peers.find((peer) => peer.id === id)?.counts;
    const failed = counts === undefined ? 0 : counts.missing + counts.corrupt;
    const stalled = counts?.stalled ?? 0;
    return [
      ...(standing === 'gone' ? [{ tone: 'bad', title: problem.gone(name), hint: problem.goneHint } as const] : []),
      ...(standing === 'distrusted'
        ? [{ tone: 'bad', title: problem.distrusted(name, failed, stalled), hint: problem.distrustedHint } as const]
        : []),
      ...(denied > 0 ? [{ tone: 'bad', title: problem.denied(name, denied), hint: problem.deniedHint } as const] : []),
    ];
  });
}

function peerProblems({ peers: live, safety }: StatusReply, peers: readonly PeerReply[], nowMs: number): Problem[] {
  const { problem } = HEALTH;
  const isGone = (id: string): boolean => safety?.machines.find((machine) => machine.id === id)?.standing === 'gone';
  // Of one that is gone, more is said than that it is down.
  const down = live.filter(({ id, state, up }) => state !== 'removed' && !up && !isGone(id));
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
    ...(sync.error === null ? [] : [{ tone: 'bad', title: problem.syncUnknown, hint: sync.error } as const]),
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
