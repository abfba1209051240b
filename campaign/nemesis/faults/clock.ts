import { bent } from './restart.js';

const HOUR_MS = 60 * 60 * 1000;
/** Back beyond the beginning of all certificates and records, a little, a day, and beyond what the trash keeps. */
const AHEAD_MS = [-72, -2, 2, 26, 40 * 24].map((hours) => hours * HOUR_MS);
const AFTER_MS = 1_500;

/** A clock that jumps while the peer works, by hours or weeks; and back when it is started again. */
export const clock = bent(({ numbers }) => ({
  clock: { aheadMs: numbers.pick(AHEAD_MS) ?? 0, afterMs: numbers.below(AFTER_MS) },
}));
