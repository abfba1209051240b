/** A number of things in a time. CPU time is that of all processes that take part, the benchmark's own aside. */
export interface Rate {
  readonly count: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

/** What something leaves in the databases; bytes are those of the documents as JSON. */
export interface Weight {
  readonly documents: number;
  readonly bytes: number;
}

export interface CatalogWeights {
  /** One 4 KiB file, put alone. */
  readonly smallFile: Weight;
  /** For each of them, of a thousand put together. */
  readonly packedFile: Weight;
  /** 1 GiB: what the user's database gets. */
  readonly largeFile: Weight;
  /** And the database of stripes, for all of its stripes. */
  readonly largeFileStripes: Weight & { readonly stripes: number };
}

export interface CatalogResult {
  readonly entries: number;
  /** Peers that hold the chunks of a stripe: what its record weighs depends on it. */
  readonly stripePeers: number;
  readonly weights: CatalogWeights;
  /** One file after the other, each durable before the next is written. */
  readonly single: Rate;
  /** Commits of one file each, many at once: they share writes. */
  readonly together: Rate;
  /** Commits of a thousand files. */
  readonly batched: Rate;
  readonly list: Rate;
  /** The first after all those writes; the start of its new process of the DB Service is not included. */
  readonly unlock: Rate;
  /** When the catalog was summed up, which the unlock before has begun. */
  readonly unlockAgain: Rate;
  readonly memory: {
    /** Resident in the DB Service before anybody is unlocked, and with all entries unlocked and listed. */
    readonly beforeBytes: number;
    readonly unlockedBytes: number;
    readonly peakBytes: number;
  };
  /** Documents of the user's catalog. */
  readonly push: Rate;
  readonly pull: Rate;
  /** Until a file committed at one peer is listed at another, by way of the backup host. */
  readonly change: { readonly removed: number; readonly beforeMs: number; readonly afterMs: number };
  /** The removal itself. */
  readonly removal: Rate;
}
