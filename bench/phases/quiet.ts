import { ControlClient } from '../../src/cli/control-client.js';
import { QUIET_MS } from '../../src/documents/replication/pace.js';
import { idle } from '../measure/idle.js';
import type { BenchNetwork } from '../network.js';

const TIMEOUT_MS = 60_000;
/** When nothing has changed for a second, each replication writes its place down. */
const IDLE_MS = QUIET_MS + 500;

/**
 * Waits until the peers have nothing left to do and everything is replicated.
 *
 * @returns false when that took too long: then what is measured next holds some of it
 */
export function quiet(network: BenchNetwork, signal: AbortSignal): Promise<boolean> {
  const cpuSeconds = (): number => network.cpuSeconds();
  return idle(cpuSeconds, { timeoutMs: TIMEOUT_MS, quietMs: IDLE_MS, signal }, () => isReplicated(network, signal));
}

async function isReplicated(network: BenchNetwork, signal: AbortSignal): Promise<boolean> {
  for (const home of network.runningHomes) {
    await using client = new ControlClient(home, { signal });
    const { sync } = await client.status();
    if (!sync.streams.every(({ phase }) => phase === 'waiting')) return false;
  }
  return true;
}
