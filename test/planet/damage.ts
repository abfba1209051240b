import { open, rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { ChunkStore } from '../../src/chunk/chunk-store.js';
import { idBytes, type ChunkId } from '../../src/chunk/ids.js';
import type { Segment } from '../../src/chunk/segments.js';
import { HOME } from '../../src/home.js';
import { openNative } from '../../src/store/sqlite-driver.js';

/** A chunk in a peer's home, as the layout of the disk store puts it (docs/spec/3-chunk.md). */
interface ChunkPlace {
  readonly home: string;
  readonly id: ChunkId;
}

function chunkFile({ home, id }: ChunkPlace): string {
  return join(home, HOME.chunks, 'chunks', id.slice(0, 2), id);
}

/** Flips a bit of a large chunk's file, under the running peer. */
export function flipInFile(place: ChunkPlace, position: number): Promise<void> {
  return flipBit(chunkFile(place), position, 0);
}

/** @param bit from 0 to 7, within the byte */
export async function flipBit(path: string, position: number, bit: number): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const byte = Buffer.alloc(1);
    await file.read(byte, 0, 1, position);
    byte[0] = (byte[0] ?? 0) ^ (1 << bit);
    await file.write(byte, 0, 1, position);
  } finally {
    await file.close();
  }
}

export function truncateFile(place: ChunkPlace, bytes: number): Promise<void> {
  return truncate(chunkFile(place), bytes);
}

export function deleteFile(place: ChunkPlace): Promise<void> {
  return rm(chunkFile(place));
}

/** Overwrites a small chunk, which lies in SQLite. The peer must be down: it has its index for itself alone. */
export async function overwriteRow({ home, id }: ChunkPlace, content: Uint8Array): Promise<void> {
  const database = await openNative(join(home, HOME.chunks, 'index.sqlite'));
  try {
    const { changes } = database.prepare('UPDATE contents SET bytes = ? WHERE chunk = ?').run(content, idBytes(id));
    if (changes !== 1) throw new Error(`no row of chunk ${id}`);
  } finally {
    database.close();
  }
}

/** What a peer may say instead of the truth. */
export interface Lie {
  /** Wrong bytes of the right length. */
  readonly bytes?: (segment: Segment) => Uint8Array;
  /** A wrong hash list of the right length. */
  readonly hashes?: (hashes: Uint8Array) => Uint8Array;
}

/** Makes a running peer lie about every chunk that it is asked for. @returns what makes it honest again */
export function lie(store: ChunkStore, { bytes, hashes }: Lie): () => void {
  const honest = store.get.bind(store);
  store.get = async (id, options) => {
    const found = await honest(id, options);
    const altered = async function* (): AsyncGenerator<Segment> {
      for await (const segment of found.segments) yield { ...segment, bytes: bytes?.(segment) ?? segment.bytes };
    };
    const shape = { ...found.shape, hashes: hashes?.(found.shape.hashes) ?? found.shape.hashes };
    return { ...found, shape, segments: altered() };
  };
  return () => {
    store.get = honest;
  };
}
