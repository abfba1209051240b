import type { ChunkStore } from '../chunk/chunk-store.js';
import type { Holdings, HoldingsOptions, HoldingsSource } from '../chunk/holdings.js';
import type { ChunkId, PeerId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { PING_TIMEOUT_MS } from '../limits.js';
import type { PeerBook } from '../peers/peer-book.js';
import type { PeerRecord } from '../peers/peer-record.js';
import { timeLimit } from '../time-limit.js';
import { RemoteStore } from '../wire/remote-store.js';
import type { TlsIdentity } from '../wire/tls.js';

export interface PeerLinksOptions {
  readonly self: PeerId;
  readonly tls: TlsIdentity;
  readonly book: PeerBook;
  /** The own peer's store, or its File Receiver in another process. */
  readonly local: ChunkStore & HoldingsSource;
  /** `local` is in another process, which may not run. */
  readonly localApart?: boolean;
}

interface Link {
  readonly address: string;
  /** Ours, that the connection was made with. */
  readonly certificate: string;
  readonly store: RemoteStore;
}

/** Names no chunk: asking for it is the smallest call that proves an authenticated connection both ways. */
const NO_CHUNK = '0'.repeat(64) as ChunkId;

/** The main thread's way to every peer's store, for small calls; chunks travel over the workers' own connections. */
export class PeerLinks implements AsyncDisposable {
  readonly #options: PeerLinksOptions;
  readonly #links = new Map<PeerId, Link>();

  constructor(options: PeerLinksOptions) {
    this.#options = options;
  }

  /** @throws StorageError NOT_FOUND for a peer that is no member */
  store(id: PeerId): ChunkStore {
    return id === this.#options.self ? this.#options.local : this.remote(id);
  }

  /** For what only another peer can be asked. @throws StorageError NOT_FOUND for a peer that is no member */
  remote(id: PeerId): RemoteStore {
    const { book, tls } = this.#options;
    const record = book.get(id);
    if (record === undefined)
      throw new StorageError('NOT_FOUND', `Peer ${id.slice(0, 12)}… is not a member of this network.`);
    const known = this.#links.get(id);
    // Whoever asks now wants to know it now, not when the connection would next be tried by itself.
    const { certificate } = tls;
    const isSame = known?.address === record.address && known.certificate === certificate;
    if (isSame && !known.store.channel.isBackingOff) return known.store;
    if (known !== undefined) void known.store.close();
    const store = RemoteStore.open({ peer: record, tls });
    this.#links.set(id, { address: record.address, certificate, store });
    return store;
  }

  /** What a peer says that it has. The book learns that it answers, and since when its store is open. */
  async holdings(id: PeerId, chunks: readonly ChunkId[], options: HoldingsOptions): Promise<Holdings> {
    const { self, book, local } = this.#options;
    const answer = await (id === self ? local : this.remote(id)).holdings(chunks, options);
    book.reportSuccess(id);
    book.reportOpened(id, answer.opened);
    return answer;
  }

  /** @returns the round trip in milliseconds; undefined when the peer does not answer. The book learns either. */
  async ping(id: PeerId, signal: AbortSignal): Promise<number | undefined> {
    if (id === this.#options.self && this.#options.localApart !== true) return 0;
    const started = performance.now();
    using patience = timeLimit(PING_TIMEOUT_MS, signal);
    try {
      await this.holdings(id, [NO_CHUNK], { signal: patience.signal });
      return performance.now() - started;
    } catch {
      // Whatever is wrong, the answer to "does it answer?" is no.
      signal.throwIfAborted();
      this.#options.book.reportFailure(id);
      return undefined;
    }
  }

  /** Pings all members at once. */
  async pingAll(signal: AbortSignal): Promise<Map<PeerId, number | undefined>> {
    const members = this.#options.book.list().filter(({ state }) => state !== 'removed');
    return new Map(
      await Promise.all(members.map(async ({ id }: PeerRecord) => [id, await this.ping(id, signal)] as const)),
    );
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map(({ store }) => store.close()));
    this.#links.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
