import { setMaxListeners } from 'node:events';

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
