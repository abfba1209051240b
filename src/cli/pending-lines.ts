import type { RemoveReply } from '../gateways/http/api.js';
import { count } from './units.js';

/** What of a removal is still to come. */
export function pendingLines({ pendingChunks, pendingHomes }: RemoveReply): string[] {
  const lines: string[] = [];
  if (pendingHomes > 0) {
    const who = count(pendingHomes, 'other peer');
    lines.push(
      `The space is given back when ${who} of yours ${pendingHomes === 1 ? 'knows' : 'know'} of it: unlock there, or wait 30 days.`,
    );
  }
  if (pendingChunks > 0) {
    lines.push(`${count(pendingChunks, 'chunk')} lie on peers that do not answer; they are removed when those return.`);
  }
  return lines;
}
