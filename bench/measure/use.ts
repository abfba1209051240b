import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandUse } from './command.js';
import { settleDisk } from './conditions.js';
import { loopbackBytes } from './processes.js';

/** What a piece of work took on the whole machine. */
export interface Use {
  readonly seconds: number;
  /** The command and its children. */
  readonly clientCpuSeconds: number;
  /** The processes that served it, all of them. */
  readonly serverCpuSeconds: number;
  readonly clientPeakBytes: number;
  /** Through the loopback interface, by whomever: on a quiet machine, between peers. */
  readonly loopbackBytes: number;
}

/** What the servers still do when the client has its answer belongs to the work too. */
const SETTLE_MS = 250;

/**
 * @param servers CPU seconds so far of the processes that serve the work
 * @param work runs one command after the other; what they took is added up
 * @param settleMs how long the servers go on with it
 */
export async function measure(
  servers: () => number,
  work: () => Promise<CommandUse>,
  settleMs = SETTLE_MS,
): Promise<Use> {
  await settleDisk();
  const serversBefore = servers();
  const loopbackBefore = loopbackBytes();
  const { seconds, cpuSeconds, peakBytes } = await work();
  await sleep(settleMs);
  return {
    seconds,
    clientCpuSeconds: cpuSeconds,
    serverCpuSeconds: servers() - serversBefore,
    clientPeakBytes: peakBytes,
    loopbackBytes: loopbackBytes() - loopbackBefore,
  };
}
