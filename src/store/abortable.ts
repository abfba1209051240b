import { onAbort } from '../on-abort.js';

/**
 * The items of `source`, until `signal` is aborted: then the step that is waited for rejects with `signal.reason` at once,
 * even when the source never answers. A source that is left early is closed, but its closing is not waited for, because a
 * source that hangs in a step hangs in closing too.
 */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  signal.throwIfAborted();
  const iterator = source[Symbol.asyncIterator]();
  let interrupt: ((reason: unknown) => void) | undefined;
  const ignore = onAbort(signal, () => interrupt?.(signal.reason));
  let ended = false;
  try {
    for (;;) {
      const step = await new Promise<IteratorResult<T, unknown>>((resolve, reject) => {
        interrupt = reject;
        iterator.next().then(resolve, (error: unknown) => {
          ended = true;
          interrupt?.(error);
        });
      });
      if (step.done === true) {
        ended = true;
        return;
      }
      yield step.value;
      signal.throwIfAborted();
    }
  } finally {
    ignore();
    if (!ended) closeQuietly(iterator);
  }
}

function closeQuietly(iterator: AsyncIterator<unknown>): void {
  const closing = iterator.return?.();
  // The reason for leaving is already on its way to the caller.
  closing?.catch(() => undefined);
}
