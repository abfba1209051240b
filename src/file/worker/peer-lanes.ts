import type {
  ChunkHeader,
  GetOptions,
  PutOptions,
  SegmentSource,
  Stored,
  StoredChunk,
} from '../../chunk/chunk-store.js';
import type { ChunkId } from '../../chunk/ids.js';
import { MAX_LANES_PER_PEER } from '../../limits.js';
import type { RemoteStore } from '../../wire/remote-store.js';
import type { ChunkMover } from './context.js';

/**
 * Connections of one worker to one peer, as many as it moves chunks at once. TCP halves the speed of a connection that loses a
 * packet, however much the line has left, so two chunks on two of them are there in half the time; and a packet that is sent
 * again holds up one chunk, not both.
 */
export class PeerLanes implements ChunkMover {
  readonly #open: () => RemoteStore;
  readonly #lanes: RemoteStore[];

  /** @param open makes a connection of its own */
  constructor(open: () => RemoteStore) {
    this.#open = open;
    this.#lanes = [open()];
  }

  put(header: ChunkHeader, source: SegmentSource, options: PutOptions): Promise<Stored> {
    return this.#lane().put(header, source, options);
  }

  get(id: ChunkId, options: GetOptions): Promise<StoredChunk> {
    return this.#lane().get(id, options);
  }

  /** None of them is up, and none is tried just now. */
  get isBackingOff(): boolean {
    return this.#lanes.every(({ channel }) => channel.isBackingOff);
  }

  async close(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.close()));
  }

  /** The one with the least to do; another one while all are busy. */
  #lane(): RemoteStore {
    const up = this.#lanes.filter(({ channel }) => !channel.isBackingOff);
    const [best = this.#lanes[0]] = up.toSorted((a, b) => a.channel.calls - b.channel.calls);
    if (best?.channel.calls === 0) return best;
    if (best !== undefined && (up.length === 0 || this.#lanes.length === MAX_LANES_PER_PEER)) return best;
    const lane = this.#open();
    this.#lanes.push(lane);
    return lane;
  }
}
