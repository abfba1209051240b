import type { Invocation } from './invocation.js';
import { openQuietBar } from './quiet-bar.js';

/** How many stripes of all were read. */
export interface RecoveryBar {
  expect(stripes: number): void;
  advance(): void;
  /** Takes the bar away; may be called twice. */
  stop(): void;
}

export async function openRecoveryBar(invocation: Pick<Invocation, 'json' | 'runtime'>): Promise<RecoveryBar> {
  const bar = await openQuietBar(invocation, 'stripes  {bar}  {percentage}%  {value} of {total}');
  return {
    expect: (stripes) => bar?.setTotal(Math.max(1, stripes)),
    advance: () => bar?.increment(),
    stop: () => bar?.stop(),
  };
}
