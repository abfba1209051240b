import type { Logger } from '../log.js';
import { requestOf, withRequest } from '../request-context.js';
import type { Telemetry } from '../telemetry.js';
import type { AnyCall } from './admission.js';

export interface CallObserver {
  readonly logger: Logger;
  readonly telemetry: Telemetry;
}

/** What of a gRPC call is needed to know which it is, and for whom. */
export interface ObservedCall extends Pick<AnyCall, 'metadata'> {
  getPath(): string;
}

/**
 * Counts and traces a call, on behalf of the request that its caller works for.
 *
 * @param run answers the call, whatever happens, and says why it was refused
 */
export async function observeCall(
  { telemetry, logger }: CallObserver,
  call: ObservedCall,
  run: () => Promise<{ readonly refusal?: unknown }>,
): Promise<void> {
  const { counts, tracer } = telemetry;
  const path = call.getPath();
  const span = tracer.begin({ name: path.slice(1), kind: 'server', of: requestOf((name) => call.metadata.get(name)) });
  const tally = counts.calls.of(path);
  const startMs = performance.now();
  tally.begin();
  await withRequest(span.context, async () => {
    const { refusal } = await run();
    const ms = performance.now() - startMs;
    tally.end(ms / 1000, refusal !== undefined);
    span.end(refusal);
    logger.debug({ call: path, ms: Math.round(ms) }, 'call answered');
  });
}
