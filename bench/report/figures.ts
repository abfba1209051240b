import type { Floor } from '../floor/floor.js';
import type { FloorWork } from '../floor/weights.js';
import { FLOOR_WORKS } from '../floor/weights.js';
import type { WorkResult } from '../phases/work.js';

/** What is read off a measurement. */
export interface Figures {
  readonly megabytesPerSecond: number;
  readonly filesPerSecond: number;
  readonly cpuSeconds: number;
  readonly cpuSecondsPerGib: number;
  /** CPU time over that of the floor; only where there is one. */
  readonly timesFloor?: number;
}

export function figuresOf(result: WorkResult, floor: Floor | undefined): Figures {
  const cpuSeconds = result.clientCpuSeconds + result.serverCpuSeconds;
  const cpuSecondsPerGib = (cpuSeconds * 2 ** 30) / result.bytes;
  const floorWork = FLOOR_WORKS.find((work): work is FloorWork => work === result.work);
  const sum = floorWork === undefined || result.system !== 'shoal' ? undefined : floor?.sums[floorWork];
  return {
    megabytesPerSecond: result.bytes / 1e6 / result.seconds,
    filesPerSecond: result.files / result.seconds,
    cpuSeconds,
    cpuSecondsPerGib,
    ...(sum === undefined ? {} : { timesFloor: cpuSecondsPerGib / sum }),
  };
}
