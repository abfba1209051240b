import type { PeerId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { MAX_REBUILDS, MAX_REBUILDS_PER_CALLER, MAX_REBUILDS_PER_MINUTE } from '../limits.js';

const MINUTE_MS = 60_000;

interface Caller {
  active: number;
  sinceMs: number;
  begun: number;
}

/**
 * Bounds what other peers make this one rebuild, each of them and all together: a rebuild moves k chunks and holds one in
 * memory. One too many is refused and not queued; whoever repairs asks another peer, or comes again.
 */
export class RebuildTurns {
  readonly #nowMs: () => number;
  readonly #callers = new Map<PeerId, Caller>();
  #active = 0;

  constructor(nowMs: () => number = Date.now) {
    this.#nowMs = nowMs;
  }

  /** @throws StorageError LIMIT_EXCEEDED when it is one too many */
  async take<T>(peer: PeerId, work: () => Promise<T>): Promise<T> {
    const caller = this.#callerOf(peer);
    if (this.#active >= MAX_REBUILDS || caller.active >= MAX_REBUILDS_PER_CALLER) {
      throw new StorageError(
        'LIMIT_EXCEEDED',
        'This peer is rebuilding as many chunks as it does at once. Ask again later.',
      );
    }
    if (caller.begun >= MAX_REBUILDS_PER_MINUTE) {
      throw new StorageError('LIMIT_EXCEEDED', 'This peer has rebuilt enough for you in this minute. Ask again later.');
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
    if (nowMs - known.sinceMs >= MINUTE_MS) {
      known.sinceMs = nowMs;
      known.begun = 0;
    }
    this.#callers.set(peer, known);
    return known;
  }
}
