import type { RemoveReply } from '../gateways/http/api.js';
import { printable } from './printable.js';
import { count } from './units.js';

export const NOTHING_REMOVED: RemoveReply = { files: 0, pendingChunks: 0, pendingHomes: 0, homes: [], peers: [] };

/**
 * What two removals, one after the other, come to. Each peer has its part of both. The later one waits for the homes of both,
 * so who has answered the earlier one meanwhile is not among them.
 */
export function together(earlier: RemoveReply, later: RemoveReply): RemoveReply {
  const peers = new Map(earlier.peers.map((peer) => [peer.peer, peer]));
  for (const more of later.peers) {
    const { chunks = 0, waiting = 0 } = peers.get(more.peer) ?? {};
    peers.set(more.peer, { ...more, chunks: chunks + more.chunks, waiting: waiting + more.waiting });
  }
  return {
    files: earlier.files + later.files,
    pendingChunks: earlier.pendingChunks + later.pendingChunks,
    pendingHomes: later.pendingHomes,
    homes: later.homes,
    peers: [...peers.values()],
  };
}

/** Who has given the space back, and what of a removal is still to come. */
export function pendingLines({ pendingHomes, homes, peers }: RemoveReply): string[] {
  const lines: string[] = [];
  if (pendingHomes > 0) {
    const who = `${count(pendingHomes, 'other peer')} of yours${homes.length === 0 ? '' : ` (${homes.map(printable).join(', ')})`}`;
    lines.push(
      `The space is given back when ${who} ${pendingHomes === 1 ? 'knows' : 'know'} of it: unlock there, or wait 30 days.`,
    );
  }
  const done = peers.filter(({ removed, waiting, chunks }) => !removed && waiting < chunks);
  if (done.length > 0) {
    const each = done.map(({ name, chunks, waiting }) => `${printable(name)} (${count(chunks - waiting, 'chunk')})`);
    lines.push(`Deleted by ${each.join(', ')}.`);
  }
  const waiting = peers.filter((peer) => peer.waiting > 0);
  if (waiting.length > 0) {
    const each = waiting.map((peer) => `${printable(peer.name)} (${count(peer.waiting, 'chunk')})`);
    lines.push(
      `Not done yet at ${each.join(', ')}: tried again until it is. "shoal garbage" lists what waits, and why.`,
    );
  }
  const gone = peers.filter(({ removed }) => removed);
  if (gone.length > 0) {
    lines.push(`No members any more, and not told: ${gone.map(({ name }) => printable(name)).join(', ')}.`);
  }
  return lines;
}
