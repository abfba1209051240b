import { StorageError } from './errors.js';
import { onAbort } from './on-abort.js';

/** A signal that aborts when its time is over, or with another one. It has to be disposed of, which stops the clock. */
export interface TimeLimit extends Disposable {
  readonly signal: AbortSignal;
  /** It was the time, not the other signal. */
  readonly isOver: boolean;
}

/**
 * Instead of `AbortSignal.any([signal, AbortSignal.timeout(ms)])`: in Node 20 the first garbage collection takes the inner
 * signal and its timer away (nodejs/node issue 54614), and what should have ended waits for ever.
 *
 * @param reason what the signal aborts with when the time is over; TIMEOUT unless given
 */
export function timeLimit(ms: number, signal: AbortSignal, reason?: () => unknown): TimeLimit {
  const controller = new AbortController();
  let isOver = false;
  const timer = setTimeout(() => {
    isOver = true;
    controller.abort(reason?.() ?? new StorageError('TIMEOUT', `It was not done within ${String(ms)} ms.`));
  }, ms);
  const follow = (): void => {
    clearTimeout(timer);
    controller.abort(signal.reason);
  };
  const stop = signal.aborted ? undefined : onAbort(signal, follow);
  if (signal.aborted) follow();
  return {
    signal: controller.signal,
    get isOver() {
      return isOver;
    },
    [Symbol.dispose]: () => {
      clearTimeout(timer);
      stop?.();
    },
  };
}
