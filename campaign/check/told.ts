import type { ChunkId, StripeId } from '../../src/chunk/ids.js';
import { MAX_WORST_FILES } from '../../src/limits.js';
import type { CampaignNetwork } from '../network/peers.js';
import type { Doom } from './holdings.js';

/** What the network says of what it has lost. */
export interface Told {
  /** Stripes, by the survey of a repairer; undefined: it has not looked. */
  readonly lostStripes: number | undefined;
  /** Chunks that scrubs could not mend, at each peer that was asked. */
  readonly damaged: ReadonlyMap<number, number>;
  /** The newest of those, with the peer that said so. */
  readonly named: readonly { readonly id: string; readonly peer: number }[];
  /** Paths, by the safety of files as a peer's status has it. */
  readonly lostFiles: ReadonlySet<string>;
}

/** Of each file that is there for certain; none where the catalog alone holds it. */
export type Files = ReadonlyMap<string, readonly StripeId[]>;

export async function readTold(
  network: CampaignNetwork,
  {
    scrubbed,
    repairer,
    signal,
  }: { readonly scrubbed: readonly number[]; readonly repairer: number; readonly signal: AbortSignal },
): Promise<Told> {
  const damaged = new Map<number, number>();
  const named: { id: string; peer: number }[] = [];
  for (const peer of scrubbed) {
    await using client = network.client(peer, signal);
    const { damaged: amount, damages } = await client.scrub();
    damaged.set(peer, amount);
    named.push(...damages.map(({ chunk }) => ({ id: chunk, peer })));
  }
  await using client = network.client(repairer, signal);
  const { survey } = await client.repairs();
  const { worst } = await client.safety(MAX_WORST_FILES);
  const lostFiles = new Set(worst.filter(({ state }) => state === 'lost').map(({ path }) => path));
  return { lostStripes: survey?.lost, damaged, named, lostFiles };
}

/**
 * Holds what is told against what follows from the disks.
 *
 * Of the stripes of files that are there for certain somebody must tell; others may have been removed.
 *
 * @returns what is wrong with it, in words; undefined when nothing is
 */
export function judgeTold({ stripes }: Doom, files: Files, told: Told): string | undefined {
  const known = new Set([...files.values()].flat());
  const mayBe = new Map<ChunkId, number[]>();
  const must = new Map<number, number>();
  const may = new Map<number, number>();
  for (const [stripe, chunks] of stripes) {
    for (const { id, peer } of chunks) {
      mayBe.set(id, [...(mayBe.get(id) ?? []), peer]);
      may.set(peer, (may.get(peer) ?? 0) + 1);
      if (known.has(stripe)) must.set(peer, (must.get(peer) ?? 0) + 1);
    }
  }
  const doomed = [...known].filter((stripe) => stripes.has(stripe)).length;
  const { lostStripes = 0, damaged, named, lostFiles } = told;
  if (lostStripes > stripes.size) {
    return `${String(lostStripes)} stripes are said to be lost, of ${String(stripes.size)} that can be`;
  }
  const excess = named.find(({ id, peer }) => mayBe.get(id as ChunkId)?.includes(peer) !== true);
  if (excess !== undefined)
    return `chunk ${excess.id.slice(0, 12)} stays damaged at peer ${String(excess.peer)}, though others have enough of it`;
  for (const [peer, amount] of damaged) {
    const most = may.get(peer) ?? 0;
    if (amount > most)
      return `${String(amount)} chunks stay damaged at peer ${String(peer)}, of ${String(most)} that can be`;
  }
  if (lostStripes < doomed) return `${String(doomed)} stripes are lost, and repair tells of ${String(lostStripes)}`;
  for (const [peer, least] of must) {
    const amount = damaged.get(peer) ?? 0;
    if (amount < least)
      return `peer ${String(peer)} tells of ${String(amount)} damaged chunks, of ${String(least)} that it lost for good`;
  }
  if (lostFiles.size >= MAX_WORST_FILES) return undefined; // the list is cut off
  for (const [path, its] of files) {
    const isDoomed = its.some((stripe) => stripes.has(stripe));
    if (isDoomed !== lostFiles.has(path))
      return `${path} is ${isDoomed ? 'lost, and is not' : 'not lost, and is'} said to be`;
  }
  return undefined;
}
