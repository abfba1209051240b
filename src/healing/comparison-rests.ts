import type { PeerId } from '../chunk/ids.js';
import { HOLDINGS_INTERVAL_MS, HOLDINGS_LEAST_MS } from '../limits.js';

interface Rest {
  readonly untilMs: number;
  readonly lengthMs: number;
}

/**
 * Peers whose comparison came to no end. Each is left alone for a while, twice as long each time: a comparison goes through all
 * records, and one peer that answers pings and nothing else would have everybody do so all the time.
 */
export class ComparisonRests {
  readonly #rests = new Map<PeerId, Rest>();

  /** Does nothing for one that is resting: somebody asked it before its time. */
  begin(peer: PeerId, nowMs: number): void {
    if (this.isResting(peer, nowMs)) return;
    const before = this.#rests.get(peer);
    const lengthMs = before === undefined ? HOLDINGS_LEAST_MS : Math.min(before.lengthMs * 2, HOLDINGS_INTERVAL_MS);
    this.#rests.set(peer, { untilMs: nowMs + lengthMs, lengthMs });
  }

  /** It was compared: the next rest is a short one again. */
  end(peer: PeerId): void {
    this.#rests.delete(peer);
  }

  isResting(peer: PeerId, nowMs: number): boolean {
    const rest = this.#rests.get(peer);
    if (rest === undefined) return false;
    const leftMs = rest.untilMs - nowMs;
    // More is left only when the clock was turned back.
    return leftMs > 0 && leftMs <= rest.lengthMs;
  }

  /** Of who is no member any more. */
  forgetOthers(members: ReadonlySet<PeerId>): void {
    for (const peer of this.#rests.keys()) if (!members.has(peer)) this.#rests.delete(peer);
  }
}
