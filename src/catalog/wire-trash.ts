import { toHex } from '../bytes.js';
import { idBytes, parsePeerId, type PeerId } from '../chunk/ids.js';
import type {
  DeletedDescription,
  DueRemovalDescription,
  FindDueRemovalsResponse,
  RemoveResponse,
} from '../gen/shoal/v1/db.js';
import type { DeletedEntry, DueRemoval, DueRemovals, FreedStripe, Removal } from './catalog.js';
import { pages } from './pages.js';
import { decodeFreed, encodeFreed, freedBytes } from './wire-records.js';

export function encodeDeleted({ type, ...entry }: DeletedEntry): DeletedDescription {
  return { ...entry, folder: type === 'folder' };
}

export function decodeDeleted({ folder, ...entry }: DeletedDescription): DeletedEntry {
  return { ...entry, type: folder ? 'folder' : 'file' };
}

export function deletedBytes({ path }: DeletedDescription): number {
  // Four numbers; a character takes three bytes of UTF-8 at most.
  return 40 + path.length * 3;
}

/** Puts a removal together from its messages. */
export async function readRemoval(responses: AsyncIterable<RemoveResponse>): Promise<Removal> {
  let files = 0;
  for await (const response of responses) files += response.files;
  return { files };
}

function descriptionBytes({ stripes }: DueRemovalDescription): number {
  return 24 + stripes.reduce((sum, stripe) => sum + freedBytes(stripe), 0);
}

/** One with many stripes becomes several of the same node. */
function* describe({ node, stripes }: DueRemoval): Generator<DueRemovalDescription> {
  const id = idBytes(node);
  if (stripes.length === 0) yield { node: id, stripes: [] };
  for (const page of pages(stripes.map(encodeFreed), freedBytes)) yield { node: id, stripes: page };
}

export function* duePages({ due, waitingFor }: DueRemovals): Generator<FindDueRemovalsResponse> {
  yield { due: [], waitingFor: waitingFor.map((peer) => idBytes(peer)) };
  const descriptions = due.flatMap((removal) => [...describe(removal)]);
  for (const page of pages(descriptions, descriptionBytes)) yield { due: page, waitingFor: [] };
}

export async function readDue(responses: AsyncIterable<FindDueRemovalsResponse>): Promise<DueRemovals> {
  const waitingFor: PeerId[] = [];
  const due = new Map<string, FreedStripe[]>();
  for await (const response of responses) {
    for (const peer of response.waitingFor) waitingFor.push(parsePeerId(peer));
    for (const { node, stripes } of response.due) {
      const known = due.get(toHex(node)) ?? [];
      due.set(toHex(node), known);
      for (const stripe of stripes) known.push(decodeFreed(stripe));
    }
  }
  return { due: [...due].map(([node, stripes]) => ({ node, stripes })), waitingFor };
}
