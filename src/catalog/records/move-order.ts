/** What the order of moves goes by. */
export interface OrderedMove {
  /** Unlike every other. */
  readonly name: string;
  /** By the clock of the peer that signed it. */
  readonly storedMs: number;
  /** The last one that its writer knew, by name. */
  readonly after: string | undefined;
}

interface Rank {
  /** The latest stamp of the move and of all that it comes after. */
  readonly latestMs: number;
  /** How many moves before it, one after the other, have no later stamp than that. */
  readonly depth: number;
}

/**
 * Moves in the order in which they count, the same from any order. One comes after all that its writer knew, whatever the
 * clocks say: else a move that was signed by a clock far ahead would be the last one for ever. Of moves that knew nothing of each
 * other the later stamp counts.
 */
export function inOrder<Move extends OrderedMove>(moves: readonly Move[]): Move[] {
  const ranks = ranksOf(moves);
  const rankOf = ({ name, storedMs }: Move): Rank => ranks.get(name) ?? { latestMs: storedMs, depth: 0 };
  return [...moves].sort((one, other) => {
    const [a, b] = [rankOf(one), rankOf(other)];
    return a.latestMs - b.latestMs || a.depth - b.depth || (one.name < other.name ? -1 : 1);
  });
}

function ranksOf(moves: readonly OrderedMove[]): ReadonlyMap<string, Rank> {
  const byName = new Map(moves.map((move) => [move.name, move]));
  const ranks = new Map<string, Rank>();
  for (const move of moves) {
    const chain = new Map<string, OrderedMove>();
    let at: OrderedMove | undefined = move;
    while (at !== undefined && !ranks.has(at.name) && !chain.has(at.name)) {
      chain.set(at.name, at);
      at = at.after === undefined ? undefined : byName.get(at.after);
    }
    // Nobody can have known what came after his own: of a ring, which is forged, none comes after another.
    for (let ring = at; ring !== undefined && !ranks.has(ring.name); ring = byName.get(ring.after ?? '')) {
      ranks.set(ring.name, { latestMs: ring.storedMs, depth: 0 });
    }
    for (const next of [...chain.values()].reverse()) {
      if (!ranks.has(next.name)) ranks.set(next.name, rankAfter(next, ranks.get(next.after ?? '')));
    }
  }
  return ranks;
}

function rankAfter({ storedMs }: OrderedMove, before: Rank | undefined): Rank {
  if (before === undefined || storedMs > before.latestMs) return { latestMs: storedMs, depth: 0 };
  return { latestMs: before.latestMs, depth: before.depth + 1 };
}
