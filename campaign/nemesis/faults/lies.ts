import { StorageError } from '../../../src/errors.js';
import { timeLimit } from '../../../src/time-limit.js';
import { auditNow } from '../../healing/audit.js';
import type { Fault, Victim } from '../fault.js';
import { bent } from './restart.js';

/** By one other peer: enough to meet the liar several times. */
const AUDITS = 30;
const AUDITS_WITHIN_MS = 15_000;

const wrong = bent(() => ({ lie: 'bytes' }));

/** Right lengths and wrong bytes, for audits and for readers. Another peer audits meanwhile, so that it finds out. */
export const wrongBytes: Fault = {
  ...wrong,
  async inject(victim) {
    const broken = await wrong.inject(victim);
    await letAudit(victim);
    return broken;
  },
};

async function letAudit({ network, n, numbers, signal, remark }: Victim): Promise<void> {
  const auditor = numbers.pick(network.numbers.filter((other) => other !== n)) ?? n;
  using limit = timeLimit(AUDITS_WITHIN_MS, signal);
  await using client = network.client(auditor, limit.signal);
  try {
    const distrusted = await auditNow(client, AUDITS);
    if (distrusted.includes(network.peer(n).name))
      remark(`peer ${String(n)} lied, and peer ${String(auditor)} found out`);
  } catch (error) {
    // The auditor may be the other victim of this round, or meet it.
    if (!StorageError.is(error)) throw error;
    signal.throwIfAborted();
  }
}

/** Has whatever it is asked for, and takes nothing in; all that it was given meanwhile is not there afterwards. */
export const falseHolding = bent(() => ({ lie: 'holding' }));

/** Acknowledges deletes, and keeps everything. */
export const falseDeletes = bent(() => ({ lie: 'deletes' }));
