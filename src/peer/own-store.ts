import type {
  ChunkHeader,
  ChunkStore,
  ChunkSummary,
  GetOptions,
  ListOptions,
  PutOptions,
  Receipt,
  SegmentSource,
  Stored,
  StoredChunk,
} from '../chunk/chunk-store.js';
import type { Holdings, HoldingsOptions, HoldingsSource } from '../chunk/holdings.js';
import type { ChunkId, PeerId, UserId } from '../chunk/ids.js';
import { certificateToDer } from '../crypto/certificates.js';
import type { ChunkReader } from '../store/chunk-reader.js';
import { type PullOrder, RemoteStore } from '../wire/remote-store.js';
import type { TlsIdentity } from '../wire/tls.js';

export interface OwnStoreOptions {
  readonly self: PeerId;
  readonly tls: TlsIdentity;
  /** Of this peer's File Receiver, in another process. */
  readonly socket: string;
  readonly reader: ChunkReader;
}

/** This peer's store, seen from a process that does not write it: its File Receiver is asked, but for reading. */
export class OwnStore implements ChunkStore, HoldingsSource {
  readonly #options: OwnStoreOptions;
  #link: { readonly certificate: string; readonly store: RemoteStore } | undefined;

  constructor(options: OwnStoreOptions) {
    this.#options = options;
  }

  put(header: ChunkHeader, source: SegmentSource, options: PutOptions): Promise<Stored> {
    return this.#receiver().put(header, source, options);
  }

  get(id: ChunkId, options: GetOptions): Promise<StoredChunk> {
    return this.#options.reader.get(id, options);
  }

  has(ids: readonly ChunkId[], options: { readonly signal: AbortSignal }): Promise<ReadonlySet<ChunkId>> {
    return this.#receiver().has(ids, options);
  }

  holdings(ids: readonly ChunkId[], options: HoldingsOptions): Promise<Holdings> {
    return this.#receiver().holdings(ids, options);
  }

  delete(
    owner: UserId,
    ids: readonly ChunkId[],
    options: { readonly signal: AbortSignal; readonly authorization?: Uint8Array },
  ): Promise<void> {
    return this.#receiver().delete(owner, ids, options);
  }

  list(options: ListOptions): AsyncIterable<ChunkSummary> {
    return this.#receiver().list(options);
  }

  /** Has the File Receiver take a chunk from other peers. */
  pull(order: PullOrder, options: { readonly signal: AbortSignal }): Promise<Receipt> {
    return this.#receiver().pull(order, options);
  }

  async close(): Promise<void> {
    await this.#link?.store.close();
    this.#link = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Whoever asks now wants to know it now, not when the connection would next be tried by itself. */
  #receiver(): RemoteStore {
    const { self, tls, socket } = this.#options;
    const { certificate } = tls;
    const known = this.#link;
    if (known?.certificate === certificate && !known.store.channel.isBackingOff) return known.store;
    if (known !== undefined) void known.store.close();
    const peer = { id: self, address: socket, socket, certificate: certificateToDer(certificate) };
    const store = RemoteStore.open({ peer, tls });
    this.#link = { certificate, store };
    return store;
  }
}
