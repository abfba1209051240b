import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { concatBytes } from '../../src/bytes.js';
import type { ErrorCode } from '../../src/errors.js';
import { REPOSITORY } from '../repository.js';

/** Bytes are lower-case hex. docs/spec/1-sealing.md names what each vector is about. */
type Hex = string;

export const SEALING_VECTORS = join(REPOSITORY, 'test', 'vectors', 'sealing.json');

export interface GoodExtent {
  readonly name: string;
  readonly key: Hex;
  /** Of the plaintext, whose byte i is i mod 251. */
  readonly bytes: number;
  readonly sealedBytes: number;
  readonly sealedSha256: Hex;
  /** The whole, when it is short. */
  readonly sealed?: Hex;
}

/** Slices of good extents, one after the other; then `append`; then each byte `at` XOR `with`. */
export interface BadExtent {
  readonly name: string;
  /** Whose key and length the reader believes in. */
  readonly extent: string;
  readonly key?: Hex;
  readonly slices: readonly { readonly of: string; readonly start: number; readonly end: number }[];
  readonly append?: Hex;
  readonly xor?: readonly { readonly at: number; readonly with: number }[];
  readonly error: ErrorCode;
}

/** A record that somebody signed, and what reading it gives. */
export interface BadRecord {
  readonly name: string;
  readonly signed: Hex;
  readonly error: ErrorCode;
}

export interface DirectoryEntryVector {
  readonly file: Hex;
  readonly version: Hex;
  readonly path: string;
  readonly modifiedMs: number;
  readonly mode: number;
  readonly fileOffset: number;
  readonly last: boolean;
  readonly key: Hex;
  readonly offset: number;
  readonly sealedBytes: number;
  readonly bytes: number;
}

export interface WrapVector {
  readonly user: Hex;
  readonly version: number;
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
  readonly salt: Hex;
  readonly sealed: Hex;
}

export interface SealingVectors {
  readonly comment: string;
  readonly extents: { readonly good: readonly GoodExtent[]; readonly bad: readonly BadExtent[] };
  readonly impossibleSealedBytes: readonly number[];
  readonly ranges: readonly {
    readonly total: number;
    readonly start: number;
    readonly end: number;
    readonly sealedStart: number;
    readonly sealedEnd: number;
    readonly firstBlock: number;
    readonly skip: number;
  }[];
  readonly rootKey: {
    readonly rootKey: Hex;
    readonly catalogKey: Hex;
    readonly directoryKey: Hex;
    readonly signingPublicKey: Hex;
    readonly sharingPublicKey: Hex;
    readonly userId: Hex;
  };
  readonly wrap: {
    readonly passphrase: string;
    readonly good: WrapVector;
    readonly bad: readonly (Partial<WrapVector> & {
      readonly name: string;
      readonly passphrase?: string;
      readonly error: ErrorCode;
    })[];
  };
  readonly directory: {
    readonly offset: number;
    readonly salt: Hex;
    readonly key: Hex;
    readonly plaintext: Hex;
    readonly sealed: Hex;
    readonly entries: readonly DirectoryEntryVector[];
    readonly bad: readonly { readonly name: string; readonly plaintext: Hex; readonly error: ErrorCode }[];
  };
  readonly label: {
    readonly fields: Readonly<Record<string, unknown>>;
    readonly stripe: Hex;
    readonly body: Hex;
    readonly signed: Hex;
    readonly bad: readonly BadRecord[];
  };
  readonly grant: {
    readonly fields: Readonly<Record<string, unknown>>;
    readonly body: Hex;
    readonly signed: Hex;
    readonly bad: readonly BadRecord[];
  };
  readonly deleteOrder: {
    readonly fields: Readonly<Record<string, unknown>>;
    readonly body: Hex;
    readonly signed: Hex;
    readonly bad: readonly BadRecord[];
  };
  readonly receipt: {
    /** SubjectPublicKeyInfo, DER. */
    readonly publicKey: Hex;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly body: Hex;
    readonly signature: Hex;
  };
  readonly ids: {
    /** Of a chunk whose byte i is i mod 251. */
    readonly chunks: readonly { readonly bytes: number; readonly segmentBytes: number; readonly id: Hex }[];
    readonly stripe: { readonly k: number; readonly m: number; readonly chunks: readonly Hex[]; readonly id: Hex };
  };
}

export function readSealingVectors(): SealingVectors {
  return JSON.parse(readFileSync(SEALING_VECTORS, 'utf8')) as SealingVectors;
}

/** The plaintext of every vector: 251 is prime, so that no two blocks are alike. */
export function pattern(bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, index) => index % 251);
}

/** Puts a bad extent together. @param sealed every good extent by its name */
export function compose(bad: BadExtent, sealed: ReadonlyMap<string, Uint8Array>): Uint8Array {
  const slices = bad.slices.map(({ of, start, end }) => (sealed.get(of) ?? new Uint8Array(0)).subarray(start, end));
  const bytes = concatBytes(...slices, Buffer.from(bad.append ?? '', 'hex'));
  for (const { at, with: mask } of bad.xor ?? []) bytes[at] = (bytes[at] ?? 0) ^ mask;
  return bytes;
}
