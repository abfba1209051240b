import { AWAITED_DATABASE_MS, RETIRED_DATABASE_MS } from '../../limits.js';
import type { HomeRecord } from './home-record.js';

/** What a home of the user has said last. Of every home that the user ever had, such words tell which former generation is over. */
export type HomeWord = Pick<HomeRecord, 'gone' | 'generation' | 'issuedMs'>;

export interface FormerClock {
  /** Unix time. */
  readonly nowMs: number;
  /** Since when somebody looks: what counts where no home's clock can be right. */
  readonly sinceMs: number;
  /** How long a former generation is kept once no home needs it. Default RETIRED_DATABASE_MS. */
  readonly retiredMs?: number;
}

/** Whether somebody has the next generation whole. Until then a former one is all that there is. */
function isFollowed(homes: readonly HomeWord[], generation: number): boolean {
  return homes.some((home) => home.generation > generation);
}

/** A home that never had a generation whole has written into none. */
function isBehind(home: HomeWord, generation: number): boolean {
  return home.generation > 0 && home.generation <= generation;
}

/** Whether a home may still write into a generation, or has something there that it alone has. */
export function isAwaited(homes: readonly HomeWord[], generation: number): boolean {
  return homes.some((home) => !home.gone && isBehind(home, generation));
}

/** Whether every home that ever was has brought over what it had of a generation: nothing can come into it any more. */
export function isBroughtOver(homes: readonly HomeWord[], generation: number): boolean {
  return isFollowed(homes, generation) && !homes.some((home) => isBehind(home, generation));
}

/** Whether a former generation was kept for as long as anybody waits for what may come into it. */
export function isExpired(
  homes: readonly HomeWord[],
  generation: number,
  { nowMs, sinceMs, retiredMs = RETIRED_DATABASE_MS }: FormerClock,
): boolean {
  if (!isFollowed(homes, generation)) return false;
  // The last word counts, so that one clock that is slow ends nothing early. A time to come is a wrong clock's.
  const times = homes
    .filter((home) => home.gone || home.generation > generation)
    .map(({ issuedMs }) => issuedMs)
    .filter((issuedMs) => issuedMs <= nowMs);
  const lastMs = times.length === 0 ? sinceMs : times.reduce((last, each) => Math.max(last, each));
  return nowMs - lastMs >= (isAwaited(homes, generation) ? AWAITED_DATABASE_MS : retiredMs);
}

/** Whether a home need not look at a former generation any more. */
export function isOver(homes: readonly HomeWord[], generation: number, clock: FormerClock): boolean {
  return isBroughtOver(homes, generation) || isExpired(homes, generation, clock);
}
