import { timeLimit } from '../../../src/time-limit.js';
import type { Fault } from '../fault.js';
import { bent } from './restart.js';

/** By one other peer: enough to meet the liar several times. */
const AUDITS = 30;
const AUDITS_WITHIN_MS = 15_000;

const wrong = bent(() => ({ lie: 'bytes' }));

/** Right lengths and wrong bytes, for audits and for readers. Another peer audits meanwhile, so that it finds out. */
export const wrongBytes: Fault = {
  ...wrong,
  async inject(victim) {
    const { network, n, numbers, signal } = victim;
    const broken = await wrong.inject(victim);
    const auditor = numbers.pick(network.numbers.filter((other) => other !== n)) ?? n;
    using limit = timeLimit(AUDITS_WITHIN_MS, signal);
    await using client = network.client(auditor, limit.signal);
    try {
      for await (const _ of client.auditNow(AUDITS));
    } catch (error) {
      // The auditor may be the other victim of this round.
      signal.throwIfAborted();
    }
    return broken;
  },
};

/** Has whatever it is asked for, and takes nothing in; all that it was given meanwhile is not there afterwards. */
export const falseHolding = bent(() => ({ lie: 'holding' }));

/** Acknowledges deletes, and keeps everything. */
export const falseDeletes = bent(() => ({ lie: 'deletes' }));
