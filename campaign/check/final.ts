import type { CampaignNetwork } from '../network/peers.js';
import { Numbers } from '../numbers.js';
import type { Tally } from '../report/tally.js';
import type { Claim, Ledger } from './ledger.js';
import { verify } from './read.js';

export interface FinalParts {
  readonly network: CampaignNetwork;
  readonly ledger: Ledger;
  readonly tally: Tally;
  readonly seed: number;
  readonly signal: AbortSignal;
}

/** What the last comparison looked at. */
export interface FinalFigures {
  readonly claims: number;
  /** Of these, files of which it is certain that they are there. */
  readonly files: number;
  /** Files read while two peers were away, and pairs of peers that were. */
  readonly pairReads: number;
  readonly pairs: number;
  readonly allPairs: number;
}

const READERS_AT_ONCE = 4;
const PATIENCE_MS = 30_000;
/** Every file is read under some pair at least; after so long no further pairs are begun. */
const PAIRS_WITHIN_MS = 60_000;

/** Compares every claim: peers take turns at reading, also those at which nobody wrote. */
export async function compareAll(parts: FinalParts): Promise<void> {
  await compare(parts, parts.network.numbers, parts.ledger.claims);
}

/**
 * Every two peers in turn are cut off, in random order, and a share of the files is read without them: one file after the
 * other, from the beginning again after the last.
 *
 * @param most pairs
 */
export async function compareWithoutPairs(
  parts: FinalParts,
  most: number,
): Promise<Omit<FinalFigures, 'claims' | 'files'>> {
  const { network, ledger, seed } = parts;
  const numbers = new Numbers(seed, 'pairs');
  const pairs = numbers.shuffled(pairsOf(network.numbers));
  const claims = numbers.shuffled(ledger.claims.filter(({ mayBeAbsent }) => !mayBeAbsent));
  const share = Math.max(1, Math.ceil(claims.length / 4));
  const begun = performance.now();
  let [pairReads, done] = [0, 0];
  for (const pair of pairs.slice(0, most)) {
    if (pairReads >= claims.length && performance.now() - begun > PAIRS_WITHIN_MS) break;
    const readers = network.numbers.filter((n) => !pair.includes(n));
    const files = Array.from({ length: Math.min(share, claims.length) }, (_, index) => index)
      .map((index) => claims[(pairReads + index) % claims.length])
      .filter((claim) => claim !== undefined);
    for (const n of pair) network.cutOff(n);
    try {
      await compare(parts, numbers.shuffled(readers), files);
    } finally {
      for (const n of pair) network.mendWire(n);
    }
    pairReads += files.length;
    done++;
  }
  return { pairReads, pairs: done, allPairs: pairs.length };
}

async function compare(
  { network, tally, signal }: FinalParts,
  readers: readonly number[],
  claims: readonly Claim[],
): Promise<void> {
  const waiting = claims.map((claim, index) => ({ claim, reader: readers[index % readers.length] ?? 1 }));
  const lane = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const { claim, reader } = next;
      const connect = (limit: AbortSignal) => network.client(reader, limit);
      const violation = await verify(connect, claim, { signal, patienceMs: PATIENCE_MS });
      if (violation === undefined) continue;
      tally.violations.push({ ...violation, detail: `read at peer ${String(reader)}: ${violation.detail}` });
    }
  };
  await Promise.all(Array.from({ length: READERS_AT_ONCE }, lane));
}

function pairsOf(peers: readonly number[]): (readonly [number, number])[] {
  return peers.flatMap((one, index) => peers.slice(index + 1).map((other) => [one, other] as const));
}
