import type { RotationReply } from '../gateways/http/user-api.js';
import type { Invocation } from './invocation.js';
import { openQuietBar } from './quiet-bar.js';

/** How far keys are rotated. */
export interface RotationBar {
  show(rotation: RotationReply): void;
  /** Takes the bar away; may be called twice. */
  stop(): void;
}

export async function openRotationBar(invocation: Pick<Invocation, 'json' | 'runtime'>): Promise<RotationBar> {
  const bar = await openQuietBar(invocation, 'keys  {bar}  {percentage}%  {value} of {total} entries');
  return {
    show: ({ done, total }) => {
      bar?.setTotal(Math.max(1, total));
      bar?.update(done);
    },
    stop: () => bar?.stop(),
  };
}
