import type { Catalog } from '../catalog/catalog.js';
import type { ReadEngine } from '../file/engine.js';
import type { PeerLinks } from '../file/peer-links.js';
import { Scrub } from '../healing/scrub.js';
import type { PeerBook } from '../peers/peer-book.js';
import type { DiskStore } from '../store/disk-store.js';
import type { Base } from './base.js';
import type { Opened } from './opened.js';

export interface ScrubbingParts {
  readonly catalog: Catalog;
  readonly book: PeerBook;
  readonly links: PeerLinks;
  /** Where the File Receiver runs: it alone writes the chunk store. */
  readonly store: DiskStore | undefined;
  readonly receiver: ReadEngine | undefined;
}

const MEGABYTE = 1_000_000;

/** Reads this peer's chunks in the background, and mends what has rotted. */
export function openScrub(base: Base, parts: ScrubbingParts, opened: Opened): Scrub | undefined {
  const { config, identity, telemetry, logger, clock } = base;
  const { catalog, book, links, store, receiver } = parts;
  if (store === undefined) return undefined;
  return opened.keep(
    new Scrub({
      network: { self: identity.id, catalog, book, links },
      store,
      count: telemetry.counts.scrub,
      days: config.scrubDays,
      bytesPerSecond: config.scrubMegabytes * MEGABYTE,
      isBusy: () => (receiver?.pool.turns.running ?? 0) > 0,
      clock,
      logger,
    }),
  );
}
