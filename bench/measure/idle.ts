import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 250;
/** Of a poll. Housekeeping stays below it, work does not. */
const MOST_CPU_SECONDS = 0.05;

export interface IdleOptions {
  readonly timeoutMs: number;
  /** A moment, unless given. */
  readonly quietMs?: number;
  readonly signal: AbortSignal;
}

/**
 * Waits until processes have nothing left to do: for `quietMs` none of them used the CPU.
 *
 * @param cpuSeconds of all of them so far
 * @param isDone asked only then
 * @returns false when that took too long
 */
export async function idle(
  cpuSeconds: () => number,
  { timeoutMs, quietMs = POLL_MS, signal }: IdleOptions,
  isDone: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<boolean> {
  let idleMs = 0;
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline;) {
    const before = cpuSeconds();
    await sleep(POLL_MS, undefined, { signal });
    idleMs = cpuSeconds() - before <= MOST_CPU_SECONDS ? idleMs + POLL_MS : 0;
    if (idleMs >= quietMs && (await isDone())) return true;
  }
  return false;
}
