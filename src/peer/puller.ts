import type { Catalog } from '../catalog/catalog.js';
import type { ChunkHeader } from '../chunk/chunk-store.js';
import { pullChunk } from '../file/pull.js';
import type { PeerLinks } from '../file/peer-links.js';
import { PULL_BOUNDS, RebuildTurns } from '../healing/rebuild-turns.js';
import { takeRebuilt } from '../healing/take-rebuilt.js';
import type { PeerBook } from '../peers/peer-book.js';
import type { Pull } from '../wire/file-receiver.js';
import type { Base } from './base.js';
import { receiptSigner, type Chunks } from './engines.js';

export interface PullerParts {
  readonly catalog: Pick<Catalog, 'stripes'>;
  readonly book: PeerBook;
  readonly links: PeerLinks;
  readonly chunks: Chunks;
}

/** How this peer takes a chunk because somebody asks it to, itself included: from one peer, or rebuilt from several. */
export function puller({ identity, telemetry, clock }: Base, { catalog, book, links, chunks }: PullerParts): Pull {
  const signReceipt = receiptSigner(identity);
  const turns = new RebuildTurns(clock);
  const copies = new RebuildTurns(clock, PULL_BOUNDS);
  const network = { self: identity.id, catalog, book, links };
  const { local } = chunks;
  const { counts } = telemetry;
  return async ({ source, ...request }, { signal }) => {
    if (source !== undefined) {
      const copy = (): Promise<ChunkHeader> => pullChunk({ ...request, source }, { links, local, signal });
      return signReceipt(await copies.take(request.caller, copy));
    }
    const onMoved = (bytes: number): void => {
      counts.repair.movedBytes += bytes;
    };
    const header = await takeRebuilt(request, { network, local, turns, onMoved, signal });
    counts.repair.rebuiltChunks++;
    return signReceipt(header);
  };
}
