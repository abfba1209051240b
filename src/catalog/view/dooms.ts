import { toHex } from '../../bytes.js';
import { idBytes, type PeerId } from '../../chunk/ids.js';
import type * as Format from '../../gen/shoal/v1/format.js';
import { covers, decodeKnowledge, encodeKnowledge, type Knowledge, knows } from './knowledge.js';
import { compareStamps, type Stamp } from './stamp.js';
import type { ViewNode } from './view-node.js';

/** A removal for ever that was announced, and that the homes of the user are to answer. */
export interface Doom {
  /** Of the node's SetEntry, as the writer knew it: a later one calls the removal off. */
  readonly over: Stamp | undefined;
  /** Of the announcement. */
  readonly stamp: Stamp;
  readonly issuedMs: number;
  readonly seen: Knowledge;
}

/** A peer's answer to all announcements that it had seen. */
export interface Answer {
  readonly stamp: Stamp;
  readonly seen: Knowledge;
}

/** Of two SetEntries of a node, or none. */
export function compareOver(a: Stamp | undefined, b: Stamp | undefined): number {
  if (a !== undefined && b !== undefined) return compareStamps(a, b);
  return Number(a !== undefined) - Number(b !== undefined);
}

function isCalledOff({ over }: Doom, { set }: ViewNode): boolean {
  return compareOver(set, over) > 0;
}

function isCarriedOut({ stamp }: Doom, { removed }: ViewNode): boolean {
  return removed !== undefined && compareStamps(removed, stamp) > 0;
}

/** What is announced to be removed for ever, and who has answered. The same in whatever order it is told of them. */
export class Dooms {
  readonly #dooms = new Map<ViewNode, Doom>();
  readonly #answers = new Map<PeerId, Answer>();

  /** Of several for one node the one over the latest SetEntry counts, of these the latest. */
  add(node: ViewNode, doom: Doom): void {
    const known = this.#dooms.get(node);
    const order = known && (compareOver(doom.over, known.over) || compareStamps(doom.stamp, known.stamp));
    if (order === undefined || order > 0) this.#dooms.set(node, doom);
  }

  /** Undefined also for one that was called off or carried out. */
  of(node: ViewNode): Doom | undefined {
    const doom = this.#dooms.get(node);
    if (doom === undefined || isCalledOff(doom, node) || isCarriedOut(doom, node)) return undefined;
    return doom;
  }

  has(node: ViewNode): boolean {
    return this.of(node) !== undefined;
  }

  list(): [node: ViewNode, doom: Doom][] {
    return [...this.#dooms].filter(([node]) => this.has(node));
  }

  answer(answer: Answer): void {
    const { peer } = answer.stamp.change;
    const known = this.#answers.get(peer);
    if (known === undefined || compareStamps(answer.stamp, known.stamp) > 0) this.#answers.set(peer, answer);
  }

  answers(): readonly Answer[] {
    return [...this.#answers.values()];
  }

  /**
   * Whether whatever the peer writes from here on, after what has come of it, is written in knowledge of this, and of all that
   * whoever announced it knew.
   *
   * @param known here: an answer counts once all has come that its peer wrote before it
   */
  isAnsweredBy(peer: PeerId, doom: Doom, known: Knowledge): boolean {
    const answer = this.#answers.get(peer);
    if (answer === undefined || !knows(known, answer.stamp.change)) return false;
    return knows(answer.seen, doom.stamp.change) && covers(answer.seen, doom.seen);
  }
}

export function encodeDoom({ over, issuedMs, seen }: Omit<Doom, 'stamp'>): Format.Doom {
  const where = over ?? { change: undefined, index: 0 };
  return {
    counter: where.change?.counter ?? 0,
    peer: where.change === undefined ? new Uint8Array(0) : idBytes(where.change.peer),
    document: Buffer.from(where.change?.document ?? '', 'hex'),
    index: where.index,
    issuedMs,
    seen: encodeKnowledge(seen),
  };
}

export function decodeDoom(doom: Format.Doom, stamp: Stamp): Doom {
  const { counter, peer, document, index, issuedMs, seen } = doom;
  const change = { counter, peer: toHex(peer) as PeerId, document: toHex(document), peerName: '' };
  const over = peer.length === 0 ? undefined : { change, index };
  return { over, stamp, issuedMs, seen: decodeKnowledge(seen) };
}
