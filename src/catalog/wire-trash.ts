import type { DeletedDescription, RemoveResponse } from '../gen/shoal/v1/db.js';
import type { DeletedEntry, FreedStripe, Removal } from './catalog.js';
import { decodeFreed } from './wire-records.js';

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
  const freed: FreedStripe[] = [];
  let files = 0;
  for await (const response of responses) {
    files += response.files;
    for (const stripe of response.freed) freed.push(decodeFreed(stripe));
  }
  return { files, freed };
}
