/** How fast a peer reads its own chunks. */
export interface ScrubPace {
  /** Every chunk is read once in so many days. */
  readonly days: number;
  /** Read and moved by scrubs, at most; 0: none without being asked. */
  readonly bytesPerSecond: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Within which every chunk is to be read, in milliseconds. */
export function periodMs({ days }: ScrubPace): number {
  return days * DAY_MS;
}

/** The rest that the rate demands after some work, in milliseconds. A disk that is slower sets the pace by itself. */
export function leastRestMs({ bytesPerSecond }: ScrubPace, bytes: number): number {
  return (bytes * 1000) / bytesPerSecond;
}

/** The rest that spreads reading the whole store over half of its time, in milliseconds. */
export function evenRestMs(pace: ScrubPace, bytes: number, storedBytes: number): number {
  return (periodMs(pace) / 2) * (bytes / Math.max(bytes, storedBytes, 1));
}
