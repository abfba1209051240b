import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';

/** The longest that a timer of Node takes, in milliseconds. */
const MOST_MS = 2 ** 31 - 1;

/**
 * Calls `listener` when `signal` is aborted. One signal often ends a great many calls at once, so the warning that Node
 * prints at eleven listeners would be a false one.
 *
 * @returns call it to stop listening
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  setMaxListeners(0, signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => {
    signal.removeEventListener('abort', listener);
  };
}

/** A call, so that the compiler does not take what it was before an await for what it is. */
export function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/**
 * Waits, and comes back early when `signal` is aborted: that is the end that was asked for, and no failure.
 *
 * @param ref false: the process may end meanwhile
 */
export async function rest(ms: number, signal: AbortSignal, { ref = true } = {}): Promise<void> {
  await delay(Math.min(ms, MOST_MS), undefined, { signal, ref }).catch(() => undefined);
}
