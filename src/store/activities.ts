import { wrapError, type StorageError } from '../errors.js';
import { onAbort } from '../on-abort.js';

interface Activity {
  readonly controller: AbortController;
  readonly ended: Promise<unknown>;
}

/** What a store is doing, so that closing it can end all of it and wait. */
export class Activities {
  readonly #running = new Set<Activity>();
  #over: StorageError | undefined;

  /**
   * @param doing in words a user knows
   * @param work gets a signal that ends with the caller's and with the store
   * @throws the abort's reason, or else a StorageError
   */
  async run<T>(doing: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.assertGoingOn();
    signal.throwIfAborted();
    const controller = new AbortController();
    const ignore = onAbort(signal, () => {
      controller.abort(signal.reason);
    });
    const result = work(controller.signal);
    const activity = { controller, ended: result.catch(() => undefined) };
    this.#running.add(activity);
    try {
      return await result;
    } catch (error) {
      controller.signal.throwIfAborted();
      throw wrapError(error, doing);
    } finally {
      ignore();
      this.#running.delete(activity);
    }
  }

  assertGoingOn(): void {
    if (this.#over !== undefined) throw this.#over;
  }

  /** Idempotent. */
  async end(reason: StorageError): Promise<void> {
    this.#over ??= reason;
    const running = [...this.#running];
    for (const { controller } of running) controller.abort(this.#over);
    await Promise.all(running.map(({ ended }) => ended));
  }
}
