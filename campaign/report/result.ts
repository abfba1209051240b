import type { BeyondFigures } from '../check/beyond.js';
import type { FinalFigures } from '../check/final.js';
import type { Violation } from '../check/ledger.js';
import type { Healed } from '../healing/meter.js';
import type { Tally } from './tally.js';

/** The contract of --json. */
export interface CampaignResult {
  readonly seed: number;
  /** Of load and faults. */
  readonly seconds: number;
  readonly rounds: number;
  readonly faults: readonly { readonly kind: string; readonly times: number; readonly broken: number }[];
  readonly operations: readonly { readonly operation: string; readonly outcome: string; readonly times: number }[];
  readonly writtenBytes: number;
  readonly healed: Healed;
  readonly final: FinalFigures;
  readonly beyond?: BeyondFigures;
  readonly remarks: readonly string[];
  readonly violations: readonly Violation[];
}

export function resultOf(
  tally: Tally,
  rest: Pick<CampaignResult, 'seed' | 'seconds' | 'healed' | 'final'> & { readonly beyond: BeyondFigures | undefined },
): CampaignResult {
  const { beyond, ...others } = rest;
  return {
    ...others,
    rounds: tally.rounds,
    faults: [...tally.faults].sort().map(([kind, counts]) => ({ kind, ...counts })),
    operations: [...tally.operations]
      .sort()
      .flatMap(([operation, outcomes]) =>
        [...outcomes].sort().map(([outcome, times]) => ({ operation, outcome, times })),
      ),
    writtenBytes: tally.writtenBytes,
    remarks: tally.remarks,
    violations: tally.violations,
    ...(beyond !== undefined && { beyond }),
  };
}
