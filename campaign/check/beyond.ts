import { rm } from 'node:fs/promises';
import type { WhereReply } from '../../src/gateways/http/api.js';
import { heal } from '../healing/heal.js';
import { TOLERATE } from '../network/peers.js';
import { Numbers } from '../numbers.js';
import type { FinalParts } from './final.js';
import { call, verify } from './read.js';

export interface BeyondFigures {
  readonly destroyed: readonly string[];
  /** Files of which too few chunks are left, by arithmetic, and those that could not be read in truth. */
  readonly lostByArithmetic: number;
  readonly lost: number;
  /** What a peer says of stripes that cannot be rebuilt. */
  readonly stripesSaidToBeLost: number;
}

const READER_PATIENCE_MS = 5_000;
const HEAL_WITHIN_MS = 30_000;

/** Destroys one disk more than is tolerated, all at once. No more may be lost than follows from that, and none silently. */
export async function goBeyond(parts: FinalParts): Promise<BeyondFigures> {
  const { network, ledger, seed, signal, tally } = parts;
  const victims = new Numbers(seed, 'beyond').shuffled(network.numbers).slice(0, TOLERATE + 1);
  const reader = network.numbers.find((n) => !victims.includes(n)) ?? 1;
  const connect = (limit: AbortSignal) => network.client(reader, limit);
  const gone = new Set(victims.map((n) => network.peer(n).id));
  const doomed = new Set<string>();
  for (const path of ledger.certain) {
    const where = await call(connect, signal, (client) => client.where(path));
    if (isDoomed(where, gone)) doomed.add(path);
  }
  for (const n of victims) await network.stop(n, { kill: true });
  for (const n of victims) await rm(network.storeOf(n), { recursive: true, force: true });
  await Promise.all(victims.map((n) => network.start(n)));
  const left = await heal(network, { scrubbed: victims, repairing: [reader], withinMs: HEAL_WITHIN_MS, signal });
  let lost = 0;
  for (const path of ledger.certain) {
    const claim = ledger.at(path);
    if (claim === undefined) continue;
    const patienceMs = doomed.has(path) ? 0 : READER_PATIENCE_MS;
    const violation = await verify(connect, claim, { signal, patienceMs });
    if (violation?.kind === 'unreadable') lost++;
    const isLoud = violation === undefined || violation.kind === 'unreadable';
    if (violation !== undefined && !(isLoud && doomed.has(path))) tally.violations.push(violation);
  }
  const { survey } = await call(connect, signal, (client) => client.repairs());
  const stripesSaidToBeLost = survey?.lost ?? 0;
  if (doomed.size > 0 && left === undefined && stripesSaidToBeLost === 0) {
    const detail = `${String(doomed.size)} files are lost, and neither scrub nor repair says anything of it`;
    tally.violations.push({ kind: 'unhealed', path: 'network', detail });
  }
  const destroyed = victims.map((n) => network.peer(n).name);
  return { destroyed, lostByArithmetic: doomed.size, lost, stripesSaidToBeLost };
}

/** Some stripe has fewer than k chunks elsewhere. */
export function isDoomed({ k, stripes }: Pick<WhereReply, 'k' | 'stripes'>, gone: ReadonlySet<string>): boolean {
  return stripes.some(({ chunks }) => chunks.filter(({ peer }) => peer !== null && !gone.has(peer)).length < k);
}
