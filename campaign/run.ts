import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { goBeyond } from './check/beyond.js';
import { compareAll, compareWithoutPairs, type FinalParts } from './check/final.js';
import { Ledger } from './check/ledger.js';
import { heal } from './healing/heal.js';
import { HealMeter, type Healed } from './healing/meter.js';
import type { Calm } from './load/calm.js';
import { Stock } from './load/stock.js';
import { Writer } from './load/writer.js';
import { Nemesis } from './nemesis/nemesis.js';
import { planRounds, toleranceOf } from './nemesis/schedule.js';
import { CampaignNetwork, TOLERATE } from './network/peers.js';
import type { CampaignOptions } from './options.js';
import { resultOf, type CampaignResult } from './report/result.js';
import { Tally } from './report/tally.js';

/** Peers at which somebody writes. One is a backup host and one is not; neither is spared. */
const WRITERS = [
  { name: 'left', peer: 2 },
  { name: 'right', peer: 5 },
] as const;
/** That the load has peers keep. */
const MAX_KEPT_BYTES = 512 * 2 ** 20;
/** Shorter than any round, so that the schedule does not end before the time does. */
const ROUND_MS = 2_000;

export interface CampaignSurroundings {
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** Everything that it makes is gone when it ends, however it ends. */
export async function runCampaign(options: CampaignOptions, around: CampaignSurroundings): Promise<CampaignResult> {
  const { signal, say } = around;
  const folder = await mkdtemp(join(tmpdir(), 'shoal-campaign-'));
  try {
    say(`seed ${String(options.seed)}; the peers start`);
    await using network = await CampaignNetwork.open(folder, signal);
    const parts = { network, ledger: new Ledger(), tally: new Tally(), seed: options.seed, signal };
    const { healed, ...rest } = await metered(network, signal, async (meter) => {
      const seconds = await suffer(parts, meter, { ...around, ...options });
      return { seconds, final: await settle(parts, meter, { ...around, ...options }) };
    });
    if (options.beyond) say('more is destroyed than may be');
    const beyond = options.beyond ? await goBeyond(parts) : undefined;
    return resultOf(parts.tally, { seed: options.seed, healed, ...rest, beyond });
  } finally {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** @returns with what was healed meanwhile */
async function metered<T>(
  network: CampaignNetwork,
  signal: AbortSignal,
  work: (meter: HealMeter) => Promise<T>,
): Promise<T & { readonly healed: Healed }> {
  const meter = new HealMeter(network);
  const done = new AbortController();
  const measuring = meter.run(AbortSignal.any([signal, done.signal]));
  try {
    const result = await work(meter);
    done.abort();
    await measuring;
    await meter.read(signal);
    return { ...result, healed: meter.healed };
  } finally {
    done.abort();
    await measuring;
  }
}

/** Load and faults. @returns the seconds that it took */
async function suffer(
  { network, ledger, tally, seed }: FinalParts,
  meter: HealMeter,
  { signal, say, minutes, rounds: most, faults: kinds }: CampaignSurroundings & CampaignOptions,
): Promise<number> {
  const begun = performance.now();
  const enough = new AbortController();
  const working = AbortSignal.any([signal, enough.signal]);
  const forMs = minutes * 60_000;
  const tolerance = toleranceOf(network.numbers, TOLERATE, network.hosts);
  const rounds = planRounds(seed, { tolerance, amount: Math.min(most, Math.ceil(forMs / ROUND_MS)), kinds });
  const calm: Calm = { asked: false };
  const stock = new Stock(MAX_KEPT_BYTES);
  const writers = WRITERS.map(({ name, peer }) => {
    const connect = (limit: AbortSignal) => network.client(peer, limit);
    const folder = network.folderFor(`bundles-${name}`);
    return new Writer({ name, seed, connect, ledger, tally, calm, folder, stock });
  });
  const nemesis = new Nemesis({ network, seed, tally, meter, calm, say });
  const works = [
    ...writers.map((writer) => writer.run(working)),
    nemesis.run(rounds, { forMs, signal: working }).finally(() => {
      enough.abort();
    }),
  ];
  try {
    await Promise.all(works);
  } finally {
    enough.abort();
    await Promise.allSettled(works);
  }
  return Math.round((performance.now() - begun) / 1000);
}

/** All peers run, everything is mended, and everything is compared. */
async function settle(
  parts: FinalParts,
  meter: HealMeter,
  { pairs, say }: CampaignSurroundings & CampaignOptions,
): Promise<CampaignResult['final']> {
  const { network, ledger, tally, signal } = parts;
  for (const n of network.numbers) await network.start(n);
  say('all peers run; scrub and repair at each');
  const everywhere = { scrubbed: network.numbers, repairing: network.numbers };
  const left = await heal(network, { ...everywhere, meter, signal });
  if (left !== undefined) tally.violations.push({ kind: 'unhealed', path: 'network', detail: `in the end: ${left}` });
  if (tally.writtenBytes === 0) {
    tally.violations.push({
      kind: 'no-load',
      path: 'network',
      detail: 'no put was acknowledged, so nothing was tested',
    });
  }
  const claims = ledger.claims.length;
  const files = ledger.certain.length;
  say(`${String(claims)} files and removals are compared, ${String(files)} of these files that must be there`);
  await compareAll(parts);
  say('and without any two peers');
  return { claims, files, ...(await compareWithoutPairs(parts, pairs)) };
}
