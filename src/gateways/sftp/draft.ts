/** The bytes of a file as they are being written. Calls come one after the other. */
export interface Draft {
  readonly bytes: number;
  /** @param data may be kept @throws StorageError */
  write(offset: number, data: Buffer): Promise<void>;
  /** Cuts it, or adds zeros. */
  truncate(bytes: number): Promise<void>;
  /** Within it. */
  read(offset: number, bytes: number): Promise<readonly Uint8Array[]>;
  /** All of it, from the beginning; it does not change meanwhile. */
  source(): AsyncIterable<Uint8Array>;
  /** Gives back what it took. */
  close(): Promise<void>;
}
