import { useSignal, type ReadonlySignal } from '@preact/signals';
import { messageOf } from '../api/problem.js';

export interface Work {
  readonly busy: ReadonlySignal<boolean>;
  /** Why it failed last; empty when it did not. */
  readonly failure: ReadonlySignal<string>;
  /** @returns whether it was done */
  readonly run: (work: () => Promise<void>) => Promise<boolean>;
}

/** Something that a form does, one at a time. */
export function useWork(): Work {
  const busy = useSignal(false);
  const failure = useSignal('');
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    if (busy.value) return false;
    busy.value = true;
    failure.value = '';
    try {
      await work();
      return true;
    } catch (error) {
      failure.value = messageOf(error);
      return false;
    } finally {
      busy.value = false;
    }
  };
  return { busy, failure, run };
}
