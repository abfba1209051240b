import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseStripeId, type StripeId } from '../../src/chunk/ids.js';
import { HEAL_PAUSE_MS, healOnce, HEAL_STALL_MS } from '../healing/heal.js';
import { TOLERATE } from '../network/peers.js';
import { Numbers } from '../numbers.js';
import type { FinalParts } from './final.js';
import { doomOf, readHoldings, type Doom } from './holdings.js';
import { call, verify } from './read.js';
import { judgeTold, readTold, type Files, type Told } from './told.js';

export interface BeyondFigures {
  readonly destroyed: readonly string[];
  /** Files with a stripe of which too few chunks are left, by arithmetic, and those of them that could not be read in truth: one may lie in chunks that are left. */
  readonly lostByArithmetic: number;
  readonly lost: number;
  /** Stripes of which too few chunks are left on the disks, and what a repairer's survey says of them. */
  readonly doomedStripes: number;
  readonly stripesSaidToBeLost: number;
  /** Chunks that scrubs say they cannot mend. */
  readonly chunksSaidToBeDamaged: number;
}

/** For files that must be there: peers have just started. */
const READER_PATIENCE_MS = 10_000;

/** Destroys one disk more than is tolerated, all at once. No more may be lost than follows from that, and none silently. */
export async function goBeyond(parts: FinalParts): Promise<BeyondFigures> {
  const { network, seed } = parts;
  const victims = new Numbers(seed, 'beyond').shuffled(network.numbers).slice(0, TOLERATE + 1);
  const reader = network.numbers.find((n) => !victims.includes(n)) ?? 1;
  const files = await stripesOfFiles(parts, reader);
  for (const n of network.numbers) await network.stop(n, { kill: false });
  const doom = doomOf(await readHoldings(network), new Set(victims));
  for (const n of victims) await rm(network.storeOf(n), { recursive: true, force: true });
  await Promise.all(network.numbers.map((n) => network.start(n)));
  const told = await untilTold(parts, { victims, reader, doom, files });
  const { doomed, lost } = await compareFiles(parts, { reader, files, doom });
  return {
    destroyed: victims.map((n) => network.peer(n).name),
    lostByArithmetic: doomed,
    lost,
    doomedStripes: doom.stripes.size,
    stripesSaidToBeLost: told.lostStripes ?? 0,
    chunksSaidToBeDamaged: [...told.damaged.values()].reduce((sum, amount) => sum + amount, 0),
  };
}

async function stripesOfFiles({ network, ledger, signal }: FinalParts, reader: number): Promise<Files> {
  const files = new Map<string, readonly StripeId[]>();
  for (const path of ledger.certain) {
    const { stripes } = await call(
      (limit) => network.client(reader, limit),
      signal,
      (client) => client.where(path),
    );
    files.set(
      path,
      stripes.map(({ id }) => parseStripeId(id)),
    );
  }
  return files;
}

interface Destroyed {
  readonly victims: readonly number[];
  readonly reader: number;
  readonly doom: Doom;
  readonly files: Files;
}

/** Scrubs at those that lost their disks, and repairs elsewhere, until what they tell is what is true. */
async function untilTold(
  { network, tally, signal }: FinalParts,
  { victims, reader, doom, files }: Destroyed,
): Promise<Told> {
  const begun = performance.now();
  for (;;) {
    await healOnce(network, { scrubbed: victims, repairing: [reader], signal });
    const told = await readTold(network, { scrubbed: victims, repairer: reader, signal });
    const wrong = judgeTold(doom, files, told);
    if (wrong === undefined) return told;
    if (performance.now() - begun > HEAL_STALL_MS) {
      tally.violations.push({ kind: 'untold', path: 'network', detail: wrong });
      return told;
    }
    await sleep(HEAL_PAUSE_MS, undefined, { signal });
  }
}

/**
 * What may be lost is refused, loudly; all else is there. A file that fills a part of its stripe only can be read on when the
 * chunks with that part are left.
 */
async function compareFiles(
  { network, ledger, tally, signal }: FinalParts,
  { reader, files, doom }: Pick<Destroyed, 'reader' | 'doom' | 'files'>,
): Promise<{ readonly doomed: number; readonly lost: number }> {
  const connect = (limit: AbortSignal) => network.client(reader, limit);
  let [doomed, lost] = [0, 0];
  for (const [path, stripes] of files) {
    const claim = ledger.at(path);
    if (claim === undefined) continue;
    const isDoomed = stripes.some((stripe) => doom.stripes.has(stripe));
    if (isDoomed) doomed++;
    const violation = await verify(connect, claim, { signal, patienceMs: isDoomed ? 0 : READER_PATIENCE_MS });
    if (violation?.kind === 'unreadable') lost++;
    const isExcused = violation === undefined || (isDoomed && violation.kind === 'unreadable');
    if (!isExcused) tally.violations.push(violation);
  }
  return { doomed, lost };
}
