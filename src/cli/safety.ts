import { failuresLeft } from '../healing/margins.js';
import type { StatusReply, WhereReply } from '../gateways/http/api.js';
import { are, count } from './units.js';

/** What may still be lost of what is stored: a number of peers, whichever they are; below 0 something is lost now. */
export function mayFail(where: Pick<WhereReply, 'k' | 'stripes'>, up: ReadonlySet<string>): number | undefined {
  let least: number | undefined;
  for (const stripe of where.stripes) {
    const held = new Map<string, number>();
    for (const { peer } of stripe.chunks) if (peer !== null && up.has(peer)) held.set(peer, (held.get(peer) ?? 0) + 1);
    const spare = failuresLeft([...held.values()], where.k);
    if (least === undefined || spare < least) least = spare;
  }
  return least;
}

/** "Any 2 of your 6 machines may fail." and what else there is to say about it. */
export function safetySentence(
  may: number | undefined,
  peers: { readonly all: number; readonly down: number },
): string {
  const machines = `${String(peers.all)} machines`;
  const down = peers.down === 0 ? '' : `${String(peers.down)} of your ${machines} ${are(peers.down)} down. `;
  if (may === undefined) return `${down}Nothing is stored yet.`;
  if (may < 0) return `${down}Too many are missing to read everything: bring one back.`;
  if (may === 0) return `${down}Not one ${peers.down === 0 ? `of your ${machines}` : 'more'} may fail.`;
  const which = peers.down === 0 ? `${String(may)} of your ${machines}` : `${String(may)} more`;
  return `${down}Any ${which} may fail, and no file is lost.`;
}

/** From what is stored, not from the policy; a peer that was removed does not count. */
export function statusSentence(status: Pick<StatusReply, 'peers' | 'users' | 'safety'>): string {
  const members = status.peers.filter((peer) => peer.state !== 'removed');
  const down = members.filter((peer) => !peer.up).length;
  if (status.safety === null) return `${unknownSentence(status)} ${downSentence(down)}`.trimEnd();
  const degraded = status.safety.degraded;
  // A machine that is down for a moment is one reason: such a chunk does not wait for repair.
  const lacks = degraded === 0 ? '' : ` ${count(degraded, 'stripe')} ${degraded === 1 ? 'lacks' : 'lack'} a chunk.`;
  const { lost } = status.safety;
  const gone = lost === 0 ? '' : ` The record of ${count(lost, 'stripe')} is lost: shoal recover.`;
  return safetySentence(status.safety.mayFail ?? undefined, { all: members.length, down }) + lacks + gone;
}

function unknownSentence({ users }: Pick<StatusReply, 'users'>): string {
  if (users.some(({ unlocked }) => unlocked)) return 'What may fail is not known now.';
  return 'Unlock a user to see what may fail: shoal unlock NAME.';
}

function downSentence(down: number): string {
  return down === 0 ? '' : `${count(down, 'peer')} ${are(down)} down.`;
}
