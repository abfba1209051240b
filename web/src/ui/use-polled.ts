import { useSignal, type ReadonlySignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { messageOf } from '../api/problem.js';

export interface Polled<T> {
  /** The last answer; null until there was one. */
  readonly value: T | null;
  /** Why the last attempt failed; empty when it did not. */
  readonly failure: string;
}

export interface Polling<T> {
  readonly state: ReadonlySignal<Polled<T>>;
  /** Asks at once, as after a change. */
  readonly refresh: () => Promise<void>;
}

/**
 * Asks for something again and again while the page is seen. A hidden tab asks nothing.
 *
 * @param everyMs undefined: once, and when `refresh` is called
 * @param key asks anew when it changes
 */
export function usePolled<T>(
  load: (signal: AbortSignal) => Promise<T>,
  { everyMs, key }: { readonly everyMs?: number; readonly key?: unknown } = {},
): Polling<T> {
  const state = useSignal<Polled<T>>({ value: null, failure: '' });
  const ask = async (signal: AbortSignal): Promise<void> => {
    try {
      const value = await load(signal);
      if (!signal.aborted) state.value = { value, failure: '' };
    } catch (error) {
      if (!signal.aborted) state.value = { value: state.value.value, failure: messageOf(error) };
    }
  };
  useEffect(() => {
    const gone = new AbortController();
    void ask(gone.signal);
    const askIfSeen = (): void => {
      if (document.visibilityState === 'visible') void ask(gone.signal);
    };
    const timer = everyMs === undefined ? undefined : setInterval(askIfSeen, everyMs);
    return () => {
      clearInterval(timer);
      gone.abort();
    };
  }, [everyMs, key]);
  return { state, refresh: () => ask(new AbortController().signal) };
}
