/** CPU time of a process in clock ticks. */
export interface CpuTicks {
  /** Its own, all threads, those that have ended included. */
  readonly own: number;
  /** That of its children which have ended and were waited for, and of theirs. */
  readonly reaped: number;
}

/** The place of a field of /proc/<pid>/stat, as proc(5) numbers them, among those behind the command's name. */
const BEHIND_NAME = 3;

/**
 * @param text the content of /proc/<pid>/stat
 * @returns undefined when it is not that
 */
export function parseStat(text: string): CpuTicks | undefined {
  // The name is in parentheses and may hold any character, a parenthesis too: the numbers follow the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [utime, stime, cutime, cstime] = [14, 15, 16, 17].map((field) => Number(fields[field - BEHIND_NAME]));
  if (utime === undefined || stime === undefined || cutime === undefined || cstime === undefined) return undefined;
  const ticks = { own: utime + stime, reaped: cutime + cstime };
  return Number.isSafeInteger(ticks.own) && Number.isSafeInteger(ticks.reaped) ? ticks : undefined;
}

/** @param text the content of /proc/<pid>/status @returns the largest resident size so far, in bytes */
export function parsePeak(text: string): number | undefined {
  const kibibytes = /^VmHWM:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** @param text the content of /proc/<pid>/status @returns the resident size, in bytes */
export function parseResident(text: string): number | undefined {
  const kibibytes = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** @param text the content of /proc/meminfo @returns bytes that programs can have without swapping */
export function parseAvailable(text: string): number | undefined {
  const kibibytes = /^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) * 1024;
}

/** @param text the content of /proc/net/dev @returns bytes that the loopback interface has received */
export function parseLoopback(text: string): number | undefined {
  const bytes = /^\s*lo:\s*(\d+)/m.exec(text)?.[1];
  return bytes === undefined ? undefined : Number(bytes);
}
