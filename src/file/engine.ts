import type { Catalog } from '../catalog/catalog.js';
import type { ChunkId, PeerId, StripeId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type { Logger } from '../log.js';
import type { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { requiredReceipts, schemeFor, type Scheme } from '../peers/scheme.js';
import type { Outbox } from '../store/outbox.js';
import type { StrayBook } from '../store/stray-book.js';
import type { Telemetry } from '../telemetry.js';
import type { CompactionBook } from './compact/compaction-book.js';
import type { Drafts } from './draft/drafts.js';
import type { PeerLinks } from './peer-links.js';
import type { StripeHost } from './stripe-host.js';
import type { WorkerPool } from './worker/pool.js';

/** What the verbs that only read work with; one for each process. */
export interface ReadEngine {
  readonly self: PeerId;
  readonly catalog: Catalog;
  readonly book: PeerBook;
  readonly links: PeerLinks;
  readonly host: StripeHost;
  readonly pool: WorkerPool;
  readonly telemetry: Telemetry;
  /** Told of a chunk of this peer's own that was found rotten; absent: its store is another process's. */
  readonly onOwnRot?: (chunk: ChunkId) => void;
  readonly logger: Logger;
}

/** What all verbs of this folder work with; one for each peer, where its File Sender runs. */
export interface Engine extends ReadEngine {
  readonly outbox: Outbox;
  readonly drafts: Drafts;
  readonly strays: StrayBook;
  readonly compaction: CompactionBook;
  /** Stripes of puts under way and of drafts: a file that is not visible yet may lie in them, so their chunks are left alone. */
  readonly pinned: Set<StripeId>;
}

/**
 * How a put of this moment is coded.
 *
 * @throws StorageError TOO_FEW_PEERS before any byte moves, when the policy cannot be met by the peers that answer
 */
export async function schemeOfNow(engine: Engine, signal: AbortSignal): Promise<Scheme> {
  const { tolerate } = await engine.catalog.network();
  const scheme = schemeFor(engine.book.targets().length, tolerate);
  const answers = await engine.links.pingAll(signal);
  const isFit = ({ id }: PeerRecord): boolean => answers.get(id) !== undefined && engine.book.isTrusted(id);
  const up = engine.book.targets().filter(isFit).length;
  const required = requiredReceipts(scheme);
  if (up < required) {
    // This peer is up: what does not answer of it is one process.
    const whatToStart = ({ id, name }: PeerRecord): string =>
      id === engine.self ? 'the File Receiver of this peer with `shoal serve file-receiver`' : name;
    const targets = engine.book.targets();
    const down = targets.filter(({ id }) => answers.get(id) === undefined).map(whatToStart);
    const distrusted = targets.filter(({ id }) => !engine.book.isTrusted(id)).map(({ name }) => name);
    const start = down.length === 0 ? 'Try again later, or add a peer.' : `Start ${down.join(', ')} and try again.`;
    const failed = distrusted.length === 0 ? '' : ` ${distrusted.join(', ')} failed audits and gets nothing new.`;
    throw new StorageError(
      'TOO_FEW_PEERS',
      `${String(up)} of ${String(targets.length)} peers ${failed === '' ? '' : 'are trusted and '}answer, and a put needs ${String(required)}.${failed} ${start}`,
    );
  }
  return scheme;
}
