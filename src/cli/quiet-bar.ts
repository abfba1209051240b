import type { SingleBar } from 'cli-progress';
import type { Invocation } from './invocation.js';

/**
 * A bar on stderr, on a terminal only: none in a pipe, nor with --json.
 *
 * @param format of cli-progress
 */
export async function openQuietBar(
  { json, runtime: { stderr } }: Pick<Invocation, 'json' | 'runtime'>,
  format: string,
): Promise<SingleBar | undefined> {
  if (json || stderr.isTTY !== true) return undefined;
  const { default: cliProgress } = await import('cli-progress');
  const bar = new cliProgress.SingleBar(
    { format, stream: stderr, clearOnComplete: true, barsize: 24 },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1, 0); // a total of 0 would show as 100 %
  return bar;
}
