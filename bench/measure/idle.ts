import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 250;
/** Of a poll. Housekeeping stays below it, work does not. */
const MOST_CPU_SECONDS = 0.05;

/**
 * Waits until processes have nothing left to do: for a moment none of them used the CPU.
 *
 * @param cpuSeconds of all of them so far
 * @param isDone asked only then
 * @returns false when that took too long
 */
export async function idle(
  cpuSeconds: () => number,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
  isDone: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<boolean> {
  for (const deadline = performance.now() + timeoutMs; performance.now() < deadline;) {
    const before = cpuSeconds();
    await sleep(POLL_MS, undefined, { signal });
    if (cpuSeconds() - before <= MOST_CPU_SECONDS && (await isDone())) return true;
  }
  return false;
}
