import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import type { StripeRecord } from '../../src/catalog/catalog.js';
import { segmentsOf, type ChunkStore } from '../../src/chunk/chunk-store.js';
import type { Holdings, HoldingsOptions } from '../../src/chunk/holdings.js';
import { parsePeerId, parseUserId, stripeId, type ChunkId, type PeerId, type StripeId } from '../../src/chunk/ids.js';
import { encodeLabel } from '../../src/chunk/label.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { sealSigned } from '../../src/chunk/signed.js';
import { userId } from '../../src/crypto/root-key.js';
import { encodeChunks } from '../../src/erasure/reed-solomon.js';
import type { CodedStripe } from '../../src/healing/stripe-holders.js';
import { SEGMENT_BYTES } from '../../src/limits.js';
import { PeerBook } from '../../src/peers/peer-book.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import { NEVER } from './offer.js';

export interface NetworkOptions {
  readonly k?: number;
  readonly m?: number;
  /** Of each chunk. */
  readonly chunkBytes?: number;
  /** Of peer 0, the own one; in memory unless given. */
  readonly own?: ChunkStore;
}

/** A stripe that is coded, labelled and stored at as many peers as it has chunks, all of them in memory. */
export class CodedNetwork {
  readonly peers: readonly PeerId[];
  readonly stores: readonly ChunkStore[];
  readonly chunks: readonly Uint8Array[];
  readonly record: StripeRecord;
  readonly book: PeerBook;
  /** Of records: this peer knows none when it is empty. */
  known = new Map<StripeId, StripeRecord>();
  /** Of which something is there, and nothing right. */
  readonly unreadable = new Set<StripeId>();
  /** What peers say of a chunk that they have. */
  readonly damaged = new Map<PeerId, ChunkId>();

  private constructor(stores: readonly ChunkStore[], chunks: readonly Uint8Array[], record: StripeRecord) {
    this.stores = stores;
    this.chunks = chunks;
    this.record = record;
    this.peers = stores.map((_, index) => peerOf(index));
    this.known.set(record.id, record);
    this.book = new PeerBook(
      this.peers.map((id, index) => ({
        id,
        address: `127.0.0.1:${String(index + 1)}`,
        name: `peer-${String(index)}`,
        zone: 'home',
        capacityBytes: 1,
        backup: false,
        certificate: new Uint8Array(),
        state: 'member',
      })),
    );
  }

  static async open({
    k = 4,
    m = 2,
    chunkBytes = 5 * SEGMENT_BYTES + 9,
    own,
  }: NetworkOptions = {}): Promise<CodedNetwork> {
    const chunks = encodeChunks(randomBytes(k * chunkBytes), k, m);
    const record = recordOf(k, m, chunks);
    const others = await Promise.all(chunks.slice(1).map(() => MemoryStore.open()));
    const stores = [own ?? (await MemoryStore.open()), ...others];
    for (const [index, content] of chunks.entries()) {
      const header = { ...describeChunk(content), owner: record.owner, label: record.label };
      await stores[index]?.put(header, segmentsOf(content, SEGMENT_BYTES), { signal: NEVER });
    }
    return new CodedNetwork(stores, chunks, record);
  }

  /** The same with another store at peer 0, which holds what it holds. */
  withOwn(own: ChunkStore): CodedNetwork {
    return new CodedNetwork([own, ...this.stores.slice(1)], this.chunks, this.record);
  }

  get stripe(): CodedStripe {
    return this.record;
  }

  get self(): PeerId {
    return peerOf(0);
  }

  readonly links = {
    store: (id: PeerId): ChunkStore => {
      const store = this.stores[this.peers.indexOf(id)];
      if (store === undefined) throw new Error(`no peer ${id}`);
      return store;
    },
    holdings: async (id: PeerId, chunks: readonly ChunkId[], { signal }: HoldingsOptions): Promise<Holdings> => {
      const held = await this.links.store(id).has(chunks, { signal });
      const damaged = new Set([...held].filter((chunk) => this.damaged.get(id) === chunk));
      return { held, damaged, withdrawn: new Set(), opened: '' };
    },
    idOf: (store: ChunkStore): PeerId => peerOf(this.stores.indexOf(store)),
  };

  readonly catalog = {
    stripes: async (ids: readonly StripeId[]) => ids.map((id) => this.known.get(id)),
    stripeIds: async ({ after = '' as StripeId }: { readonly after?: StripeId }) =>
      [...this.known.keys(), ...this.unreadable].filter((id) => id > after).sort(),
  };

  /** Of peer `index`: does something else when a chunk is asked for. */
  alter(index: number, get: ChunkStore['get']): void {
    const store = this.stores[index];
    if (store !== undefined) store.get = get;
  }
}

function peerOf(index: number): PeerId {
  return parsePeerId(
    createHash('sha256')
      .update(`peer ${String(index)}`)
      .digest(),
  );
}

function recordOf(k: number, m: number, contents: readonly Uint8Array[]): StripeRecord {
  const { privateKey, publicKey: key } = generateKeyPairSync('ed25519');
  const publicKey = key.export({ format: 'der', type: 'spki' }).subarray(-32);
  const owner = parseUserId(userId(publicKey));
  const chunks = contents.map((content) => describeChunk(content).id);
  const chunkBytes = contents[0]?.length ?? 0;
  const stripeBytes = k * chunkBytes;
  const directory = { directoryOffset: stripeBytes - 1024, directoryBytes: 1024 };
  const body = encodeLabel({ owner, k, m, stripeBytes, chunkBytes, ...directory, chunks });
  const label = sealSigned('label', body, { privateKey, publicKey });
  const placement = chunks.map((_, index) => ({ peer: peerOf(index) }));
  return { id: stripeId(k, m, chunks), owner, k, m, bytes: stripeBytes, chunkBytes, chunks, placement, label };
}
