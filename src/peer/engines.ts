import { join } from 'node:path';
import type { Catalog } from '../catalog/catalog.js';
import type { ChunkHeader, ChunkStore, Receipt } from '../chunk/chunk-store.js';
import type { HoldingsSource } from '../chunk/holdings.js';
import { makeReceipt } from '../chunk/receipt.js';
import type { ChunkId, StripeId } from '../chunk/ids.js';
import type { Service } from '../config.js';
import { privateKeyFromPem } from '../crypto/certificates.js';
import { signP256 } from '../crypto/signature.js';
import { CompactionBook } from '../file/compact/compaction-book.js';
import { Drafts } from '../file/draft/drafts.js';
import type { Engine, ReadEngine } from '../file/engine.js';
import { PeerLinks } from '../file/peer-links.js';
import { StripeHost } from '../file/stripe-host.js';
import { WorkerPool } from '../file/worker/pool.js';
import type { WorkerIdentity } from '../file/worker/protocol.js';
import { HOME, type PeerIdentity } from '../home.js';
import type { PeerBook } from '../peers/peer-book.js';
import { socketPath } from '../socket-path.js';
import { ChunkReader } from '../store/chunk-reader.js';
import { DiskStore } from '../store/disk-store.js';
import { Outbox } from '../store/outbox.js';
import type { Database } from '../store/sqlite.js';
import { StrayBook } from '../store/stray-book.js';
import type { Base } from './base.js';
import type { Opened } from './opened.js';
import { OwnStore } from './own-store.js';

/** This peer's chunks: the store itself where the File Receiver runs, elsewhere a way to it. */
export interface Chunks {
  readonly store: DiskStore | undefined;
  /** For reading and writing, through the File Receiver where that is another process. */
  readonly local: ChunkStore & HoldingsSource;
  /** Of the File Receiver in another process. */
  readonly receiverSocket: string | undefined;
}

/** Only its File Receiver writes a store. Where the File Sender is another process, that one reads it meanwhile. */
export async function openChunks(base: Base, running: ReadonlySet<Service>, opened: Opened): Promise<Chunks> {
  const { config, identity, logger } = base;
  const { home, reserveBytes, capacityBytes } = config;
  const directory = join(home, HOME.chunks);
  if (running.has('file-receiver')) {
    const shared = !running.has('file-sender');
    const bounds = { reserveBytes, ...(capacityBytes && { capacityBytes }) };
    const store = opened.keep(await DiskStore.open({ directory, ...bounds, shared, logger }));
    return { store, local: store, receiverSocket: undefined };
  }
  const reader = opened.keep(new ChunkReader(directory));
  const socket = socketPath(home, 'file-receiver');
  const local = opened.keep(new OwnStore({ self: identity.id, tls: identity.tls, socket, reader }));
  return { store: undefined, local, receiverSocket: socket };
}

export interface EngineParts {
  readonly catalog: Catalog;
  readonly book: PeerBook;
  readonly links: PeerLinks;
  readonly chunks: Chunks;
}

/** What moves stripes, in the threads of this process. */
export function openReadEngine(base: Base, { catalog, book, links, chunks }: EngineParts, opened: Opened): ReadEngine {
  const { config, identity, telemetry, logger } = base;
  const { counts } = telemetry;
  const { local, receiverSocket } = chunks;
  const signReceipt = receiptSigner(identity);
  const host = new StripeHost({ self: identity.id, catalog, book, local, receiverSocket, signReceipt, counts });
  const pool = opened.keep(
    new WorkerPool({
      identity: workerIdentity(identity),
      host: host.calls,
      threads: config.workers,
      stripesPerThread: config.stripesPerWorker,
    }),
  );
  identity.tls.onReplace(() => {
    pool.renew(workerIdentity(identity));
  });
  const scrubs = chunks.store?.mending.scrubs;
  const onOwnRot = scrubs && {
    onOwnRot: (chunk: ChunkId): void => {
      scrubs.noteFault(chunk);
    },
  };
  return { self: identity.id, catalog, book, links, host, pool, telemetry, logger, ...onOwnRot };
}

/** What a File Sender works with beside that. */
export async function openEngine(
  { config, clock }: Base,
  { engine, state }: { readonly engine: ReadEngine; readonly state: Database },
  opened: Opened,
): Promise<Engine> {
  const directory = join(config.home, HOME.state);
  const outbox = opened.keep(Outbox.over(state, clock));
  const pinned = new Set<StripeId>();
  const { catalog, logger } = engine;
  const drafts = opened.keep(await Drafts.open({ directory, catalog, pinned, clock, logger }));
  return {
    ...engine,
    outbox,
    drafts,
    pinned,
    strays: new StrayBook(state, clock),
    compaction: new CompactionBook(clock),
  };
}

export function openLinks(
  { identity }: Base,
  { book, chunks }: Pick<EngineParts, 'book' | 'chunks'>,
  opened: Opened,
): PeerLinks {
  const { local, store } = chunks;
  const localApart = store === undefined;
  return opened.keep(new PeerLinks({ self: identity.id, tls: identity.tls, book, local, localApart }));
}

/** This peer's promise for what its own store has confirmed. */
export function receiptSigner({ id, tls }: PeerIdentity): (header: ChunkHeader) => Receipt {
  const key = privateKeyFromPem(tls.key);
  return (header) => {
    const promised = { peer: id, chunk: header.id, owner: header.owner, bytes: header.bytes, storedMs: Date.now() };
    return makeReceipt(promised, (body) => signP256('receipt', body, key));
  };
}

/** As it is now: a thread gets a copy. */
function workerIdentity({ id, tls }: PeerIdentity): WorkerIdentity {
  const { key, certificate, authority } = tls;
  return { peer: id, key, certificate, authority };
}
