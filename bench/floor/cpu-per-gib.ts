import { median } from '../measure/median.js';

const GIB = 2 ** 30;
const RUNS = 3;
/** The first run is short and not counted: code is compiled and caches are filled in it. */
const WARM_UP_SHARE = 8;

/** Works through so many bytes, a multiple of FLOOR_STEP_BYTES. */
export type Work = (bytes: number) => Promise<void> | void;

/** One stripe of 4 + 2 full chunks, and a whole number of everything smaller. */
export const FLOOR_STEP_BYTES = 16 * 2 ** 20;

/**
 * CPU-seconds per GiB of this process, threads included: the median of three runs.
 *
 * @param others CPU seconds so far of other processes that take part
 */
export async function cpuPerGib(
  bytes: number,
  work: Work,
  others: () => Promise<number> = () => Promise.resolve(0),
): Promise<number> {
  await work(wholeSteps(bytes / WARM_UP_SHARE));
  const runs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const othersBefore = await others();
    const before = process.cpuUsage();
    await work(bytes);
    const { user, system } = process.cpuUsage(before);
    runs.push((user + system) / 1e6 + (await others()) - othersBefore);
  }
  return (median(runs) * GIB) / bytes;
}

/** At least one. */
export function wholeSteps(bytes: number): number {
  return Math.max(1, Math.floor(bytes / FLOOR_STEP_BYTES)) * FLOOR_STEP_BYTES;
}
