/** Preloaded into the process of a peer (`node --import`): bends it before anything of Shoal's runs. See bend.ts. */
import { BEND_VARIABLE, type Start } from './bend.js';
import { connectFrom, slowDisk, tellLies, turnClock } from './bends.js';

const { from, clock, lie, diskDelayMs } = JSON.parse(process.env[BEND_VARIABLE] ?? '{}') as Start;
connectFrom(from);
if (clock !== undefined) turnClock(clock);
if (lie !== undefined) tellLies(lie);
if (diskDelayMs !== undefined) await slowDisk(diskDelayMs);
