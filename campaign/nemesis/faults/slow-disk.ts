import { bent } from './restart.js';

const DELAY_MS = { least: 20, most: 200 };

/** A disk on which each piece takes long, as when it tries the same sector again and again. */
export const slowDisk = bent(({ numbers }) => ({ diskDelayMs: numbers.between(DELAY_MS.least, DELAY_MS.most) }));
