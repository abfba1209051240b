import type { DrainReply } from '../gateways/http/network-api.js';
import { printable } from './printable.js';
import { are, count, formatBytes, formatSeconds } from './units.js';

/** What a peer that leaves still has to give to others. */
export function drainLeft({ left, secondsLeft }: DrainReply): string {
  if (left === null) return 'being counted';
  const time = secondsLeft === null ? '' : `, about ${formatSeconds(secondsLeft)}`;
  return `${count(left.chunks, 'chunk')} (${formatBytes(left.bytes)}) left${time}`;
}

/** What the leaving of a peer came to. */
export function drainSummary({ peer, phase, staying, forced }: DrainReply): string {
  const name = printable(peer.name);
  if (phase !== 'left') return `${name} stays.`;
  const short = forced && staying.chunks > 0;
  const rest = short
    ? ` ${count(staying.chunks, 'stripe')} ${are(staying.chunks)} one chunk short until a machine joins.`
    : '';
  return `${name} has left: the others have what it held, and refuse it from now on.${rest}`;
}
