import type { Session } from '../../catalog/catalog.js';
import type { PeerId } from '../../chunk/ids.js';
import { StorageError } from '../../errors.js';
import type { Healing } from '../../healing/healing.js';
import type { FilesSafety } from '../../healing/safety-sum.js';
import type { Machine } from '../../healing/stripe-safety.js';
import type { PeerBook } from '../../peers/peer-book.js';
import { timeOf, timeOrNull } from './replies.js';
import type { HoldingsReply, MachineReply, SafetyReply, ZoneReply } from './safety-api.js';

export interface SafetyQuestion {
  readonly session: Session;
  /** Who answers. */
  readonly up: ReadonlySet<PeerId>;
  /** That are to be named. */
  readonly files: number;
}

export interface SafetyParts {
  readonly healing: Healing;
  readonly book: PeerBook;
}

/** @returns null when the session has ended meanwhile */
export async function safetyReply(
  { healing, book }: SafetyParts,
  { session, up, files }: SafetyQuestion,
): Promise<SafetyReply | null> {
  const safety = await foundOrNone(healing, session, up);
  if (safety === undefined) return null;
  const { queuedStripes, queuedChunks, queuedBytes, secondsLeft } = healing.repairer.state();
  const { oldestMs } = healing.holdings.state();
  return {
    stripes: safety.stripes,
    degraded: safety.degradedStripes,
    mayFail: safety.mayFail ?? null,
    lost: safety.unknownStripes,
    files: { ...safety.files, waiting: safety.waiting },
    worst: safety.worst.slice(0, files),
    zonesMayFail: safety.zonesMayFail ?? null,
    machines: machinesOf(safety, { healing, book }),
    zones: zonesOf(safety, book),
    repairs: { stripes: queuedStripes, chunks: queuedChunks, bytes: queuedBytes, secondsLeft: secondsLeft ?? null },
    compared: timeOrNull(oldestMs),
    at: timeOf(safety.atMs),
  };
}

export function holdingsReply({ healing, book }: SafetyParts): HoldingsReply {
  const { running, oldestMs, denied, peers } = healing.holdings.state();
  return {
    running,
    compared: timeOrNull(oldestMs),
    denied,
    peers: peers.map(({ peer, atMs, denied: ofPeer }) => {
      return { id: peer, name: book.nameOf(peer), compared: timeOrNull(atMs), denied: ofPeer };
    }),
  };
}

/** A session that was idle for long has been locked meanwhile; that is no failure of the status. */
async function foundOrNone(
  { safety }: Healing,
  session: Session,
  up: ReadonlySet<PeerId>,
): Promise<FilesSafety | undefined> {
  try {
    return await safety.of(session, up);
  } catch (error) {
    if (StorageError.is(error, 'LOCKED')) return undefined;
    throw error;
  }
}

function machinesOf({ machines, vital }: FilesSafety, { healing, book }: SafetyParts): MachineReply[] {
  const members = book.list().filter(({ state }) => state !== 'removed');
  members.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  return members.map(({ id, name, zone }) => {
    const standing = standingOf(machines.get(id));
    const mayFail = standing === 'up' ? !vital.has(id) : null;
    return { id, name, zone, standing, mayFail, denied: healing.audits.denials.countOf(id) };
  });
}

function standingOf(machine: Machine | undefined): MachineReply['standing'] {
  const { standing } = machine ?? { standing: 'down' };
  return standing === 'out' ? 'gone' : standing;
}

function zonesOf({ machines, vitalZones }: FilesSafety, book: PeerBook): ZoneReply[] {
  const zones = new Map<string, ZoneReply>();
  for (const { id, zone, state } of book.list()) {
    if (state === 'removed' || zone === '') continue;
    const { machines: all, up } = zones.get(zone) ?? { machines: 0, up: 0 };
    const isUp = machines.get(id)?.up === true;
    zones.set(zone, { zone, machines: all + 1, up: up + (isUp ? 1 : 0), mayFail: !vitalZones.has(zone) });
  }
  return [...zones.values()].sort((a, b) => (a.zone < b.zone ? -1 : 1));
}
