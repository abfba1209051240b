import type { StripeOutcome } from './repair-stripe.js';
import { amount, inBinary } from './words.js';

/** What a run of repairs has done. */
export interface RepairTotals {
  stripes: number;
  rebuilt: number;
  copied: number;
  found: number;
  left: number;
  movedBytes: number;
}

export function noRepairs(): RepairTotals {
  return { stripes: 0, rebuilt: 0, copied: 0, found: 0, left: 0, movedBytes: 0 };
}

export function addRepair(totals: RepairTotals, outcome: StripeOutcome): void {
  totals.stripes++;
  totals.rebuilt += outcome.rebuilt;
  totals.copied += outcome.copied;
  totals.found += outcome.found;
  totals.left += outcome.left;
  totals.movedBytes += outcome.movedBytes;
}

/** "3 chunks rebuilt, 1 chunk copied, moved 48 MiB; 2 chunks are left"; empty when there was nothing to do. */
export function repairInWords({ rebuilt, copied, found, left, movedBytes }: RepairTotals): string {
  const done = [
    [rebuilt, 'rebuilt'],
    [copied, 'copied from peers that leave'],
    [found, 'found elsewhere'],
  ] as const;
  const parts = done.flatMap(([chunks, how]) => (chunks === 0 ? [] : `${amount(chunks, 'chunk')} ${how}`));
  if (movedBytes > 0) parts.push(`moved ${inBinary(movedBytes)}`);
  const rest = left === 0 ? [] : [`${amount(left, 'chunk')} ${left === 1 ? 'is' : 'are'} left`];
  return [...(parts.length > 0 ? [parts.join(', ')] : []), ...rest].join('; ');
}
