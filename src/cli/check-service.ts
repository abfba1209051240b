import type { Config } from '../config.js';
import { StorageError } from '../errors.js';
import type { HealthReply } from '../gateways/http/api.js';
import { ServiceClient } from '../gateways/http/service-client.js';
import { CHECK_TIMEOUT_MS } from '../limits.js';
import { controlSocketOf, type Service } from '../services/service-names.js';
import { socketPath } from '../socket-path.js';
import { timeLimit } from '../time-limit.js';

export interface CheckRequest {
  /** Absent: the process of all that is not separate. */
  readonly service: Service | undefined;
  readonly check?: 'live' | 'ready';
  readonly signal: AbortSignal;
}

/**
 * For probes of containers and service managers, which know 0 and 1.
 *
 * @throws StorageError INTERNAL, exit code 1, with what is wrong
 */
export async function checkService(
  { home, separate }: Config,
  { service, check, signal }: CheckRequest,
): Promise<void> {
  const client = new ServiceClient(service ?? 'gateway', socketPath(home, controlSocketOf(service, separate)));
  using limit = timeLimit(CHECK_TIMEOUT_MS, signal);
  const patience = limit.signal;
  try {
    if (check === 'live') await client.json({ method: 'GET', path: '/v1/live', signal: patience });
    else verifyReady(await client.json({ method: 'GET', path: '/v1/health', signal: patience }));
  } catch (error) {
    signal.throwIfAborted();
    throw new StorageError('INTERNAL', error instanceof StorageError ? error.message : 'It does not answer in time.');
  }
}

function verifyReady(reply: unknown): void {
  const { ready, missing } = reply as HealthReply;
  if (!ready) throw new StorageError('UNAVAILABLE', missing.map(({ message }) => message).join(' '));
}
