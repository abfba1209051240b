import type { StatusReply, WhereReply } from '../api/types.js';

/** A machine that holds something of the file. */
export interface Holder {
  /** Peer id. */
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  /** It answers. */
  readonly up: boolean;
  /** The peer of this web UI. */
  readonly self: boolean;
  /** Milliseconds; null when it does not answer. */
  readonly latencyMs: number | null;
  readonly chunks: number;
  readonly bytes: number;
}

/** What becomes of the file when only some machines answer. */
export interface Outlook {
  /** Stripes that cannot be rebuilt. */
  readonly lost: number;
  /** So many more machines, whichever, may fail without loss; negative when stripes are lost. */
  readonly mayFail: number;
}

/** Who holds the file: every peer with a chunk, this one first, then by name. */
export function holdersOf(where: WhereReply, status: StatusReply): readonly Holder[] {
  const held = new Map<string, { chunks: number; bytes: number }>();
  for (const { peer, bytes } of chunksOf(where)) {
    if (peer === null) continue;
    const sum = held.get(peer) ?? { chunks: 0, bytes: 0 };
    held.set(peer, { chunks: sum.chunks + 1, bytes: sum.bytes + bytes });
  }
  const known = new Map(status.peers.map((peer) => [peer.id, peer]));
  return [...held]
    .map(([id, sum]) => {
      const peer = known.get(id);
      const self = id === status.peer.id;
      const { name = id.slice(0, 8), zone = '', up = false, latencyMs = null } = peer ?? {};
      return { id, name, zone, up: up || self, self, latencyMs, ...sum };
    })
    .sort((a, b) => Number(b.self) - Number(a.self) || a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** @param gone peers that do not answer, or are imagined not to */
export function outlookOf({ stripes, k }: WhereReply, gone: ReadonlySet<string>): Outlook {
  let lost = 0;
  let mayFail = Infinity;
  for (const { chunks } of stripes) {
    const left = [...countByPeer(chunks, gone).values()].sort((a, b) => b - a);
    const spare = left.reduce((sum, count) => sum + count, 0) - k;
    if (spare < 0) lost += 1;
    mayFail = Math.min(mayFail, spare < 0 ? -1 : machinesBeyond(left, spare));
  }
  return { lost, mayFail: stripes.length === 0 ? 0 : mayFail };
}

/** A get of one stripe: which chunks it asks for, the fastest holders first. Fewer than k when it cannot be rebuilt. */
export function fetchedChunks(
  chunks: WhereReply['stripes'][number]['chunks'],
  k: number,
  answering: readonly Holder[],
): ReadonlySet<number> {
  const rank = new Map(
    [...answering]
      .sort((a, b) => Number(b.self) - Number(a.self) || (a.latencyMs ?? Infinity) - (b.latencyMs ?? Infinity))
      .map(({ id }, index) => [id, index]),
  );
  const asked = chunks
    .flatMap(({ index, peer }) => {
      const place = peer === null ? undefined : rank.get(peer);
      return place === undefined ? [] : [{ index, place }];
    })
    .sort((a, b) => a.place - b.place || a.index - b.index);
  return new Set(asked.slice(0, k).map(({ index }) => index));
}

function chunksOf({ stripes }: WhereReply) {
  return stripes.flatMap(({ chunks }) => chunks);
}

function countByPeer(
  chunks: WhereReply['stripes'][number]['chunks'],
  gone: ReadonlySet<string>,
): ReadonlyMap<string, number> {
  const count = new Map<string, number>();
  for (const { peer } of chunks) if (peer !== null && !gone.has(peer)) count.set(peer, (count.get(peer) ?? 0) + 1);
  return count;
}

/** How many machines may fail at worst, when the fullest ones do. @param left chunks by machine, the most first */
function machinesBeyond(left: readonly number[], spare: number): number {
  let rest = spare;
  const first = left.findIndex((count) => (rest -= count) < 0);
  return first < 0 ? left.length : first;
}
