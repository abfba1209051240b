import { StorageError } from '../../errors.js';

/** undefined from a service that does not answer: that it does not is told elsewhere, and is not the end of everything. */
export async function ifAnswered<T>(asked: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    signal.throwIfAborted();
    if (StorageError.is(error, 'UNAVAILABLE', 'TIMEOUT')) return undefined;
    throw error;
  }
}
