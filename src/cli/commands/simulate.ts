import { InvalidArgumentError, type Command } from 'commander';
import type { Assumptions } from '../../durability/assumptions.js';
import type { Durability } from '../../durability/markov.js';
import type { Outcome } from '../../durability/monte-carlo.js';
import type { RepairCost } from '../../durability/traffic.js';
import { MIN_DATA_CHUNKS } from '../../limits.js';
import type { Scheme } from '../../peers/scheme.js';
import { Invocation } from '../invocation.js';
import type { Runtime } from '../runtime.js';
import { count, formatBytes } from '../units.js';

interface SimulateOptions {
  readonly peers: number;
  readonly zones: number;
  readonly k?: number;
  readonly m?: number;
  readonly mttf: number;
  readonly zoneMttf?: number;
  readonly grace: number;
  readonly data: number;
  readonly rate: number;
  readonly years: number;
  readonly stripes: number;
  readonly trials: number;
  readonly seed: number;
}

const GIB = 2 ** 30;
const MIB = 2 ** 20;

const AFTER = `
Two ways that know nothing of each other: a Markov chain of one stripe, exact, and a network that is played out event by
event, many times. Without --k and --m it is the scheme that a network of so many peers has by default. Nothing is read
from a peer, and nothing is changed. See docs/reliability.md.

Examples:
  shoal simulate --peers 6
  shoal simulate --peers 12 --zones 3 --zone-mttf 50 --years 10
  shoal simulate --peers 6 --k 3 --m 3 --mttf 1 --grace 72
`;

export function defineSimulate(command: Command, runtime: Runtime): void {
  command
    .requiredOption('--peers <n>', 'peers of the network', number(1, 100_000))
    .option('--zones <n>', 'zones that the peers are in', number(1, 1000), 1)
    .option('--k <n>', 'data chunks of a stripe', number(1, 31))
    .option('--m <n>', 'parity chunks of a stripe', number(1, 31))
    .option('--mttf <years>', 'mean time until the disk of a peer is lost', amount(0), 3)
    .option('--zone-mttf <years>', 'mean time until a whole zone is lost (default: never)', amount(0))
    .option('--grace <hours>', 'how long a peer may be away before it counts as lost', amount(0), 24)
    .option('--data <gib>', 'chunks on each peer, in GiB', amount(0), 500)
    .option('--rate <mib>', 'what each peer gives to repair, in MiB a second', amount(0), 10)
    .option('--years <years>', 'how far to look', amount(0), 10)
    .option('--stripes <n>', 'stripes of the network that is played out', number(1, 1_000_000), 1000)
    .option('--trials <n>', 'how often it is played out; 0 = only the chain', number(0, 10_000_000), 1000)
    .option('--seed <n>', 'the same seed plays the same', number(0, 2 ** 32 - 1), 1)
    .addHelpText('after', AFTER)
    .action(async (options: SimulateOptions, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const report = await simulate(options, runtime.signal);
      invocation.result(report, () => inWords(report));
    });
}

interface Report {
  readonly options: SimulateOptions;
  readonly scheme: Scheme;
  readonly repair: RepairCost;
  readonly stripe: { readonly meanYearsToLoss: number; readonly lossProbability: number };
  /** At most: as if stripes had nothing to do with each other; those on the same peers are lost together. */
  readonly anyStripe: number;
  readonly played: (Outcome & { readonly lostShare: number }) | null;
}

async function simulate(options: SimulateOptions, signal: AbortSignal): Promise<Report> {
  const [{ stripeDurability }, { playOut }, { repairCost }, { HOURS_PER_YEAR }] = await Promise.all([
    import('../../durability/markov.js'),
    import('../../durability/monte-carlo.js'),
    import('../../durability/traffic.js'),
    import('../../durability/assumptions.js'),
  ]);
  const scheme = await schemeOf(options);
  const { peers, zones, years, stripes, trials, seed } = options;
  const peerLossRate = 1 / options.mttf;
  const repair = repairCost({
    scheme,
    peers,
    peerLossRate,
    bytesPerPeer: options.data * GIB,
    bytesPerSecond: options.rate * MIB,
    graceHours: options.grace,
  });
  const zoneLossRate = options.zoneMttf === undefined ? 0 : 1 / options.zoneMttf;
  const repairTime = repair.hours / HOURS_PER_YEAR;
  const assumptions: Assumptions = { scheme, zones, peerLossRate, zoneLossRate, repairTime };
  const durability: Durability = stripeDurability(assumptions);
  const lossProbability = durability.lossProbability(years);
  const world = { ...assumptions, peers, stripes };
  const outcome = trials === 0 ? null : playOut(world, { trials, years, seed, signal });
  return {
    options,
    scheme,
    repair,
    stripe: { meanYearsToLoss: durability.meanYearsToLoss, lossProbability },
    anyStripe: Math.min(1, lossProbability * (peers === scheme.k + scheme.m ? 1 : stripes)),
    played: outcome && { ...outcome, lostShare: outcome.lost / trials },
  };
}

async function schemeOf({ peers, k, m }: SimulateOptions): Promise<Scheme> {
  const { schemeFor } = await import('../../peers/scheme.js');
  const { StorageError } = await import('../../errors.js');
  if (k === undefined && m === undefined) return schemeFor(peers);
  if (k === undefined || m === undefined || k + m > peers || k < MIN_DATA_CHUNKS) {
    const rule = `k of at least ${String(MIN_DATA_CHUNKS)}, and no more chunks than peers`;
    throw new StorageError('INVALID_ARGUMENT', `--k and --m go together, with a ${rule}.`);
  }
  return { k, m };
}

function inWords({ options, scheme, repair, stripe, anyStripe, played }: Report): string {
  const { peers, zones, years, stripes } = options;
  const where = zones === 1 ? '' : ` in ${count(zones, 'zone')}`;
  const lines = [
    `${count(peers, 'peer')}${where}; stripes of ${String(scheme.k)} data and ${String(scheme.m)} parity chunks: any ${String(scheme.m)} of their peers may fail at once.`,
    `A lost peer is replaced within ${repair.hours.toFixed(1)} h, by moving ${formatBytes(repair.bytesPerLoss)}; that is ${formatBytes(repair.meanBytesPerSecond)}/s for each peer on average.`,
    '',
    `A stripe lasts ${stripe.meanYearsToLoss.toExponential(1)} years on average (Markov chain).`,
    `Within ${String(years)} years it is lost with probability ${stripe.lossProbability.toExponential(1)}, and any of ${count(stripes, 'stripe')} with ${anyStripe.toExponential(1)} at most.`,
  ];
  if (played !== null) {
    lines.push(
      `Played out ${count(played.trials, 'time')}: ${count(played.lost, 'network')} lost something (${(played.lostShare * 100).toFixed(2)} %), among ${count(played.peersLost, 'lost peer')}.`,
    );
  }
  return lines.join('\n');
}

function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${String(least)} to ${String(most)}.`);
  };
}

function amount(above: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+(\.\d+)?$/.test(text) && value > above && value <= 1e9) return value;
    throw new InvalidArgumentError(`It must be a number above ${String(above)}.`);
  };
}
