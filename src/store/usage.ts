/** Figures of a store, from its index. */
export interface StoreUsage {
  readonly chunks: number;
  readonly bytes: number;
  /** Chunks being received or waiting to be resumed; counted whole, whatever has arrived. */
  readonly partialBytes: number;
  /** `freeBytes − reserveBytes` is what may still be stored, as far as capacity and disk go. */
  readonly freeBytes: number;
  readonly reserveBytes: number;
}
