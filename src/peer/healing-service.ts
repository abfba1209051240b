import { join } from 'node:path';
import type { Engine } from '../file/engine.js';
import { Healing } from '../healing/healing.js';
import type { Withheld } from '../healing/withheld.js';
import { HOME } from '../home.js';
import { openPeerState } from '../store/peer-state.js';
import type { Database } from '../store/sqlite.js';
import { hintsOf, type Pull } from '../wire/file-receiver.js';
import type { PullOrder } from '../wire/remote-store.js';
import type { PeerId } from '../chunk/ids.js';
import type { Receipt } from '../chunk/chunk-store.js';
import type { Base } from './base.js';
import type { Chunks } from './engines.js';
import type { Opened } from './opened.js';
import { OwnStore } from './own-store.js';

const HOUR_MS = 60 * 60 * 1000;
const MEGABYTE = 1_000_000;

/** What the File Sender of this peer knows by itself. */
export async function openState({ config }: Base, opened: Opened): Promise<Database> {
  return opened.keep(await openPeerState(join(config.home, HOME.state)));
}

export interface HealingServiceParts {
  readonly engine: Engine;
  readonly chunks: Chunks;
  /** How this peer takes a chunk that somebody asks it to take, where its File Receiver is in this process. */
  readonly pull: Pull;
  readonly state: Database;
  readonly withheld: Withheld;
}

/** What watches other peers and repairs what they lose, where the File Sender runs. */
export function openHealing(
  base: Base,
  { engine, chunks, pull, state, withheld }: HealingServiceParts,
  opened: Opened,
): Healing {
  const { config, telemetry, clock, logger } = base;
  const { self, book, links, catalog, pinned, pool } = engine;
  return opened.keep(
    Healing.open({
      network: { self, book, links, catalog, pull: pulls({ engine, chunks, pull }) },
      files: catalog,
      state,
      graceMs: config.graceHours * HOUR_MS,
      auditsPerHour: config.auditsPerHour,
      repairBytesPerSecond: config.repairMegabytes * MEGABYTE,
      own: chunks.store,
      withheld,
      isPinned: (stripe) => pinned.has(stripe),
      isBusy: () => pool.turns.running > 0,
      counts: telemetry.counts,
      ...{ clock, logger },
    }),
  );
}

type Pulls = (peer: PeerId, order: PullOrder, options: { readonly signal: AbortSignal }) => Promise<Receipt>;

/** Makes any peer take a chunk; this one by itself, or through its File Receiver. */
function pulls({ engine, chunks, pull }: Omit<HealingServiceParts, 'state' | 'withheld'>): Pulls {
  const { self, links } = engine;
  return (peer, order, options) => {
    if (peer !== self) return links.remote(peer).pull(order, options);
    if (chunks.local instanceof OwnStore) return chunks.local.pull(order, options);
    const { chunk, label, source, holders = [] } = order;
    return pull({ chunk, label, source, holders: hintsOf(holders), granted: false, caller: self }, options);
  };
}
