import type { StatusReply, WhereReply } from '../gateways/http/api.js';
import { printable } from './printable.js';
import { mayFail, safetySentence } from './safety.js';
import { table } from './table.js';

type Peers = StatusReply['peers'];

/** What a cell holds for a chunk: data chunks are numbered, parity chunks too, after a "p". */
function chunkName(index: number, k: number): string {
  return index < k ? `d${String(index)}` : `p${String(index - k)}`;
}

/** Stripes × peers. Peers that hold nothing are left out; those that are down are marked. */
export function whereTable(where: WhereReply, peers: Peers, maxStripes: number): string {
  const holding = new Set(where.stripes.flatMap((stripe) => stripe.chunks.map((chunk) => chunk.peer)));
  const columns = [...holding]
    .filter((id) => id !== null)
    .sort((a, b) => nameOf(a, peers).localeCompare(nameOf(b, peers), 'en', { numeric: true }));
  const heading = columns.map((id) => nameOf(id, peers) + (isUp(id, peers) ? '' : ' (down)'));
  const rows = where.stripes.slice(0, maxStripes).map((stripe, row) => [
    String(row),
    stripe.id.slice(0, 8),
    ...columns.map((id) => {
      const held = stripe.chunks.filter((chunk) => chunk.peer === id);
      return held.length === 0 ? '–' : held.map((chunk) => chunkName(chunk.index, where.k)).join(' ');
    }),
  ]);
  const more = where.stripes.length - rows.length;
  const rest = more > 0 ? `\n… and ${String(more)} more stripes: see all with --all` : '';
  return table(['', 'stripe', ...heading], rows, ['right', 'left', ...columns.map(() => 'center' as const)]) + rest;
}

/** What may still be lost of this file, computed from where its chunks lie and who answers. */
export function whereSentence(where: WhereReply, peers: Peers): string {
  const up = new Set(peers.filter((peer) => peer.up).map((peer) => peer.id));
  const all = peers.filter((peer) => peer.state !== 'removed');
  const waiting = where.stripes.flatMap((stripe) => stripe.chunks).filter((chunk) => chunk.peer === null).length;
  const waits = waiting === 0 ? '' : ` ${String(waiting)} chunks wait for repair.`;
  const down = all.filter((peer) => !peer.up).length;
  return safetySentence(mayFail(where, up), { all: all.length, down }) + waits;
}

function nameOf(id: string, peers: Peers): string {
  return printable(peers.find((peer) => peer.id === id)?.name ?? id.slice(0, 8));
}

function isUp(id: string, peers: Peers): boolean {
  return peers.some((peer) => peer.id === id && peer.up);
}
