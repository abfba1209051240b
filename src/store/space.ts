import type { ChunkHeader } from '../chunk/chunk-store.js';
import { noSpace } from './chunk-checks.js';
import type { ChunkIndex } from './chunk-index.js';
import type { StoreUsage } from './usage.js';

/** Room that a put was promised and has not used yet. */
export interface Promised {
  /** Bytes that the disk still has to take. */
  unwrittenBytes: number;
  /** Bytes that the index does not count yet. */
  unrecordedBytes: number;
}

export interface SpaceOptions {
  readonly reserveBytes: number;
  /** The most that the store may hold; Infinity: as much as the disk has. */
  readonly capacityBytes: number;
  readonly freeBytes: () => Promise<number>;
}

/** Who may still store how much: free disk less the reserve, capacity less what is stored, both less what is promised. */
export class Space {
  readonly #options: SpaceOptions;
  readonly #index: ChunkIndex;
  readonly #promised = new Set<Promised>();

  constructor(options: SpaceOptions, index: ChunkIndex) {
    this.#options = options;
    this.#index = index;
  }

  /** @throws StorageError NO_SPACE */
  async promise(header: ChunkHeader, need: Promised): Promise<Promised> {
    const free = await this.#options.freeBytes();
    let disk = free - this.#options.reserveBytes;
    let capacity = this.#capacityLeft();
    for (const promised of this.#promised) {
      disk -= promised.unwrittenBytes;
      capacity -= promised.unrecordedBytes;
    }
    if (disk < need.unwrittenBytes || capacity < need.unrecordedBytes) {
      throw noSpace(header, Math.min(disk, capacity));
    }
    const promised = { ...need };
    this.#promised.add(promised);
    return promised;
  }

  release(promised: Promised): void {
    this.#promised.delete(promised);
  }

  async usage(): Promise<StoreUsage> {
    const { reserveBytes } = this.#options;
    const free = await this.#options.freeBytes();
    return {
      ...this.#index.totals(),
      freeBytes: Math.max(0, Math.min(free, reserveBytes + this.#capacityLeft())),
      reserveBytes,
    };
  }

  #capacityLeft(): number {
    const { bytes, partialBytes } = this.#index.totals();
    return this.#options.capacityBytes - bytes - partialBytes;
  }
}
