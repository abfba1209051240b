import { MODEST_EXTENT_BYTES } from '../limits.js';
import type { ExtentMemory } from './extent-memory.js';
import type { Share } from './permits.js';

/** A run of a stream's bytes, in memory of its own. */
export interface StreamExtent {
  readonly bytes: Uint8Array;
  readonly fileOffset: number;
  /** The stream ends here. */
  readonly last: boolean;
}

/**
 * Cuts a stream of unknown length into extents of at most as many bytes as `nextBytes` says before each, each copied into one buffer that can be handed to
 * a worker. One extent is held back until it is known whether another byte follows. An empty stream has no extent.
 */
export async function* extentsOf(
  source: AsyncIterable<Uint8Array>,
  nextBytes: () => number,
  memoryFor: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafeSlow(bytes),
): AsyncGenerator<StreamExtent> {
  let extentBytes = nextBytes();
  let buffer = memoryFor(extentBytes);
  let filled = 0;
  let fileOffset = 0;
  for await (const piece of source) {
    for (let taken = 0; taken < piece.length;) {
      if (filled === extentBytes) {
        yield { bytes: buffer, fileOffset, last: false };
        extentBytes = nextBytes();
        buffer = memoryFor(extentBytes);
        fileOffset += filled;
        filled = 0;
      }
      const count = Math.min(extentBytes - filled, piece.length - taken);
      buffer.set(piece.subarray(taken, taken + count), filled);
      filled += count;
      taken += count;
    }
  }
  if (filled > 0) yield { bytes: buffer.subarray(0, filled), fileOffset, last: true };
}

/** Where the extents of a stream get their memory. */
export interface Staging {
  /** For whole extents. */
  readonly staged: Share;
  readonly memory: ExtentMemory;
}

/** As extentsOf, of at most `extentBytes` each; of less while others hold the memory for whole ones. */
export async function* stagedExtents(
  source: AsyncIterable<Uint8Array>,
  { staged, memory }: Staging,
  extentBytes: number,
): AsyncGenerator<StreamExtent & { readonly release: (() => void) | undefined }> {
  const releases: ((() => void) | undefined)[] = [];
  const leave = memory.join();
  const nextBytes = (): number => {
    const permit = staged.take();
    releases.push(permit);
    return permit === undefined ? Math.min(extentBytes, MODEST_EXTENT_BYTES) : extentBytes;
  };
  try {
    for await (const extent of extentsOf(source, nextBytes, (bytes) => memory.take(bytes)))
      yield { ...extent, release: releases.shift() };
  } finally {
    leave();
    for (const unused of releases) unused?.();
  }
}
