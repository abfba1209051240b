import { directoryEntryBytes, sealedDirectoryBytes } from '../chunk/directory.js';
import { soloExtentPlainBytes, maxStripeBytes } from '../chunk/stripe-layout.js';
import { sealedBytes } from '../crypto/seal.js';
import { assert } from '../errors.js';
import { MAX_DIRECTORY_BYTES, MAX_STRIPE_BYTES } from '../limits.js';

/** Bytes of a stripe before coding: k full chunks, unless that many would not fit in a worker's memory. */
export function stripeCapacity(k: number): number {
  return Math.min(maxStripeBytes(k), MAX_STRIPE_BYTES);
}

/** A file, or what is left of it, that waits for a place in a stripe. */
export interface Waiting<T> {
  readonly item: T;
  readonly path: string;
  /** Plaintext bytes, at least 1. */
  readonly bytes: number;
}

export interface Packed<T> {
  readonly item: T;
  readonly fileOffset: number;
  /** 0 for a file without bytes, which the stripe's directory only mentions. */
  readonly bytes: number;
  readonly last: boolean;
}

interface OpenStripe<T> {
  pieces: Packed<T>[];
  sealedBytes: number;
  directoryBytes: number;
}

function openStripe<T>(): OpenStripe<T> {
  return { pieces: [], sealedBytes: 0, directoryBytes: 0 };
}

/**
 * Cuts files into stripes. Small files written together share one; a file that does not fit in what is left fills
 * stripes of its own first, and only its rest is packed. Pure: yields each stripe as soon as it is full.
 */
export class Packer<T> {
  readonly #capacity: number;
  #open = openStripe<T>();

  /** @param capacity bytes of a stripe, sealed extents and directory together */
  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  *add(file: Waiting<T>): Generator<Packed<T>[]> {
    assert(file.bytes > 0, 'an empty file has no extent');
    const solo = soloExtentPlainBytes(this.#capacity, file.path);
    let fileOffset = 0;
    while (file.bytes - fileOffset > solo) {
      yield [{ item: file.item, fileOffset, bytes: solo, last: false }];
      fileOffset += solo;
    }
    const rest = file.bytes - fileOffset;
    if (!this.#fits(rest, file.path)) {
      yield* this.flush();
      this.#open = openStripe();
    }
    this.#open.pieces.push({ item: file.item, fileOffset, bytes: rest, last: true });
    this.#open.sealedBytes += sealedBytes(rest);
    this.#open.directoryBytes += directoryEntryBytes(file.path);
  }

  /**
   * A file without bytes: it needs no place, but the next stripe tells of it, for recovery. It makes no stripe of its own:
   * nothing would refer to that, so nothing would ever give its space back.
   */
  *mention(item: T, path: string): Generator<Packed<T>[]> {
    if (!this.#hasRoom(0, path)) yield* this.flush();
    if (!this.#hasRoom(0, path)) return;
    this.#open.pieces.push({ item, fileOffset: 0, bytes: 0, last: true });
    this.#open.directoryBytes += directoryEntryBytes(path);
  }

  /** Closes the open stripe, if any bytes are in it. */
  *flush(): Generator<Packed<T>[]> {
    if (this.#open.sealedBytes === 0) return;
    const { pieces } = this.#open;
    this.#open = openStripe();
    yield pieces;
  }

  #fits(bytes: number, path: string): boolean {
    return this.#hasRoom(sealedBytes(bytes), path);
  }

  #hasRoom(sealed: number, path: string): boolean {
    const directory = this.#open.directoryBytes + directoryEntryBytes(path);
    const total = this.#open.sealedBytes + sealed + sealedDirectoryBytes(directory);
    return directory <= MAX_DIRECTORY_BYTES / 2 && total <= this.#capacity;
  }
}
