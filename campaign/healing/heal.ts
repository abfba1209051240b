import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlClient } from '../../src/cli/control-client.js';
import { StorageError } from '../../src/errors.js';
import { auditNow } from './audit.js';
import type { HealMeter } from './meter.js';
import { Stall, type StallOptions } from './stall.js';
import type { Calm } from '../load/calm.js';
import type { CampaignNetwork } from '../network/peers.js';

export interface HealOptions {
  /** Peers whose disks are read. */
  readonly scrubbed: readonly number[];
  /** Peers that repair whatever stripe they know of. */
  readonly repairing: readonly number[];
  /** Running: it tells whether healing gets on. */
  readonly meter: Pick<HealMeter, 'mended'>;
  /** Of the load that goes on meanwhile; absent: there is none. */
  readonly calm?: Calm;
  readonly signal: AbortSignal;
}

/** A network that has all it needs mends more within this when nobody loads it; that it stands still is a violation. */
export const HEAL_STALL_MS = 60_000;
/** For all of it. */
const HEAL_MOST_MS = 300_000;
export const HEAL_PAUSE_MS = 700;
/** So long it is tried under load before that rests. */
const UNDER_LOAD_MS = 30_000;
/** Eight in a row of one peer of seven are enough for trust. */
const AUDITS = 100;

/**
 * Has the network mend itself, again and again until nothing is left to be mended: by `shoal scrub --now` and
 * `shoal repair --now`, as they are asked over the control API.
 *
 * @returns what is left after the time; undefined when nothing is
 */
export async function heal(network: CampaignNetwork, options: HealOptions): Promise<string | undefined> {
  const { calm } = options;
  const alone = { withinMs: HEAL_STALL_MS, mostMs: HEAL_MOST_MS };
  if (calm === undefined) return healWithin(network, options, alone);
  const underLoad = { withinMs: UNDER_LOAD_MS, mostMs: UNDER_LOAD_MS };
  if ((await healWithin(network, options, underLoad)) === undefined) return undefined;
  calm.asked = true;
  try {
    return await healWithin(network, options, alone);
  } finally {
    calm.asked = false;
  }
}

async function healWithin(
  network: CampaignNetwork,
  options: HealOptions,
  bounds: Omit<StallOptions, 'signal'>,
): Promise<string | undefined> {
  const { signal, meter } = options;
  using stall = new Stall(meter, { ...bounds, signal });
  let known: string | undefined;
  for (;;) {
    const left = await healOnce(network, { ...options, signal: stall.signal });
    signal.throwIfAborted();
    if (left === undefined) return undefined;
    // What a pass says that the end of the time broke off tells less than the one before.
    if (stall.isOver) return known ?? left;
    known = left;
    await sleep(HEAL_PAUSE_MS, undefined, { signal });
  }
}

/** @returns what is left; undefined when nothing is */
export async function healOnce(
  network: CampaignNetwork,
  { scrubbed, repairing, signal }: Pick<HealOptions, 'scrubbed' | 'repairing' | 'signal'>,
): Promise<string | undefined> {
  const left: string[] = [];
  const works = [
    ...scrubbed.map((n) => ({ n, work: scrubNow, what: 'chunks damaged at' })),
    ...repairing.map((n) => ({ n, work: repairNow, what: 'left by repairs of' })),
  ];
  for (const { n, work, what } of works) {
    try {
      await using client = network.client(n, signal);
      const amount = await work(client);
      if (amount !== undefined) left.push(`${amount} ${what} ${network.peer(n).name}`);
    } catch (error) {
      if (!StorageError.is(error)) throw error;
      left.push(`${network.peer(n).name}: ${error.message}`);
    }
  }
  return left.length === 0 ? undefined : left.join('; ');
}

/** A peer that was caught lying gets chunks again when it has passed enough audits; so does one whose chunks had rotted. */
async function regainTrust(client: ControlClient): Promise<void> {
  const { peers, faults } = await client.audits();
  if (faults === 0 && peers.every(({ trusted }) => trusted)) return;
  await auditNow(client, AUDITS);
}

async function scrubNow(client: ControlClient): Promise<string | undefined> {
  for await (const outcome of client.scrubNow()) {
    if (outcome.event !== 'done') continue;
    if (outcome.damaged === 0) return undefined;
    const { damages } = await client.scrub();
    const [newest] = damages;
    const why = newest === undefined ? 'no reason' : `${newest.reason} Tried ${String(newest.tries)} times.`;
    return `${String(outcome.damaged)} (${why})`;
  }
  throw new StorageError('UNAVAILABLE', 'The scrub broke off.');
}

async function repairNow(client: ControlClient): Promise<string | undefined> {
  await regainTrust(client);
  for await (const outcome of client.repairNow()) {
    if (outcome.event !== 'done') continue;
    return outcome.left === 0 ? undefined : `${String(outcome.left)} chunks (${outcome.reasons.join(', ')})`;
  }
  throw new StorageError('UNAVAILABLE', 'The repairs broke off.');
}
