import type { Lock, Locker } from '@tus/server';
import { StorageError } from '../../errors.js';
import { UPLOAD_TAKEOVER_MS } from '../../limits.js';
import { onAbort } from '../../on-abort.js';
import { timeLimit } from '../../time-limit.js';

/** Who has an upload, and how to ask for it. */
interface Holder {
  readonly cancel: () => Promise<void> | void;
  readonly released: Promise<void>;
}

/**
 * One request at a time for each upload. A later one ends the one before: that may be a connection that is dead without this
 * side knowing, and what it has brought is kept.
 */
export class DraftLocker implements Locker {
  readonly #holders = new Map<string, Holder>();

  newLock(id: string): Lock {
    let release = (): void => undefined;
    return {
      lock: async (signal, cancel) => {
        using patience = timeLimit(UPLOAD_TAKEOVER_MS, signal);
        for (let holder = this.#holders.get(id); holder !== undefined; holder = this.#holders.get(id)) {
          await holder.cancel();
          if (!(await endsBefore(holder.released, patience.signal))) throw taken();
        }
        const released = new Promise<void>((resolve) => {
          release = (): void => {
            this.#holders.delete(id);
            resolve();
          };
        });
        this.#holders.set(id, { cancel, released });
      },
      unlock: () => {
        release();
        return Promise.resolve();
      },
    };
  }
}

function endsBefore(released: Promise<void>, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(false);
    const stopListening = onAbort(signal, () => {
      resolve(false);
    });
    void released.then(() => {
      stopListening();
      resolve(true);
    });
  });
}

function taken(): StorageError {
  return new StorageError('CONFLICT', 'Another request adds to this upload and does not end. Try again in a moment.');
}
