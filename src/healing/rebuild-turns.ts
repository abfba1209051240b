import type { PeerId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import {
  MAX_PULLS,
  MAX_PULLS_PER_CALLER,
  MAX_PULLS_PER_MINUTE,
  MAX_REBUILDS,
  MAX_REBUILDS_PER_CALLER,
  MAX_REBUILDS_PER_MINUTE,
} from '../limits.js';

const MINUTE_MS = 60_000;

interface Caller {
  active: number;
  sinceMs: number;
  begun: number;
}

export interface TurnBounds {
  readonly atOnce: number;
  /** Of `atOnce`, for one caller. */
  readonly perCaller: number;
  /** Begun in a minute, for one caller. */
  readonly perMinute: number;
}

/** A rebuild moves k chunks and holds one in memory. */
export const REBUILD_BOUNDS: TurnBounds = {
  atOnce: MAX_REBUILDS,
  perCaller: MAX_REBUILDS_PER_CALLER,
  perMinute: MAX_REBUILDS_PER_MINUTE,
};

/** A copy moves one chunk, segment by segment. */
export const PULL_BOUNDS: TurnBounds = {
  atOnce: MAX_PULLS,
  perCaller: MAX_PULLS_PER_CALLER,
  perMinute: MAX_PULLS_PER_MINUTE,
};

/**
 * Bounds what other peers make this one rebuild or copy, each of them and all together. One too many is refused and not queued; whoever repairs asks another peer, or comes again.
 */
export class RebuildTurns {
  readonly #bounds: TurnBounds;
  readonly #nowMs: () => number;
  readonly #callers = new Map<PeerId, Caller>();
  #active = 0;

  constructor(nowMs: () => number = Date.now, bounds: TurnBounds = REBUILD_BOUNDS) {
    this.#bounds = bounds;
    this.#nowMs = nowMs;
  }

  /** @throws StorageError LIMIT_EXCEEDED when it is one too many */
  async take<T>(peer: PeerId, work: () => Promise<T>): Promise<T> {
    const caller = this.#callerOf(peer);
    const { atOnce, perCaller, perMinute } = this.#bounds;
    if (this.#active >= atOnce || caller.active >= perCaller) {
      throw new StorageError(
        'LIMIT_EXCEEDED',
        'This peer is taking as many chunks as it does at once. Ask again later.',
      );
    }
    if (caller.begun >= perMinute) {
      throw new StorageError(
        'LIMIT_EXCEEDED',
        'This peer has taken enough chunks for you in this minute. Ask again later.',
      );
    }
    this.#active++;
    caller.active++;
    caller.begun++;
    try {
      return await work();
    } finally {
      this.#active--;
      caller.active--;
    }
  }

  /** Callers are members, so there are few. */
  #callerOf(peer: PeerId): Caller {
    const nowMs = this.#nowMs();
    const known = this.#callers.get(peer) ?? { active: 0, sinceMs: nowMs, begun: 0 };
    // Either way: a clock that was set back by hours is no reason to refuse for hours.
    if (Math.abs(nowMs - known.sinceMs) >= MINUTE_MS) {
      known.sinceMs = nowMs;
      known.begun = 0;
    }
    this.#callers.set(peer, known);
    return known;
  }
}
