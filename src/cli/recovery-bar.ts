import type { Invocation } from './invocation.js';

/** How many stripes of all were read. */
export interface RecoveryBar {
  expect(stripes: number): void;
  advance(): void;
  /** Takes the bar away; may be called twice. */
  stop(): void;
}

const SILENT: RecoveryBar = { expect: () => undefined, advance: () => undefined, stop: () => undefined };

/** On stderr, on a terminal only: nothing in a pipe, nor with --json. */
export async function openRecoveryBar(invocation: Pick<Invocation, 'json' | 'runtime'>): Promise<RecoveryBar> {
  const { stderr } = invocation.runtime;
  if (invocation.json || stderr.isTTY !== true) return SILENT;
  const { default: cliProgress } = await import('cli-progress');
  const bar = new cliProgress.SingleBar(
    {
      format: 'stripes  {bar}  {percentage}%  {value} of {total}',
      stream: stderr,
      clearOnComplete: true,
      barsize: 24,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1, 0); // a total of 0 would show as 100 %
  return {
    expect: (stripes) => {
      bar.setTotal(Math.max(1, stripes));
    },
    advance: () => {
      bar.increment();
    },
    stop: () => {
      bar.stop();
    },
  };
}
