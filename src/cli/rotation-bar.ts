import type { RotationReply } from '../gateways/http/api.js';
import type { Invocation } from './invocation.js';

/** How far keys are rotated. */
export interface RotationBar {
  show(rotation: RotationReply): void;
  /** Takes the bar away; may be called twice. */
  stop(): void;
}

const SILENT: RotationBar = { show: () => undefined, stop: () => undefined };

/** On stderr, on a terminal only: nothing in a pipe, nor with --json. */
export async function openRotationBar(invocation: Pick<Invocation, 'json' | 'runtime'>): Promise<RotationBar> {
  const { stderr } = invocation.runtime;
  if (invocation.json || stderr.isTTY !== true) return SILENT;
  const { default: cliProgress } = await import('cli-progress');
  const bar = new cliProgress.SingleBar(
    {
      format: 'keys  {bar}  {percentage}%  {value} of {total} entries',
      stream: stderr,
      clearOnComplete: true,
      barsize: 24,
    },
    cliProgress.Presets.shades_classic,
  );
  bar.start(1, 0); // a total of 0 would show as 100 %
  return {
    show: ({ done, total }) => {
      bar.setTotal(Math.max(1, total));
      bar.update(done);
    },
    stop: () => {
      bar.stop();
    },
  };
}
