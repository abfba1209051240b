/** What the main thread and its stripe workers say to each other. Everything here survives structured cloning. */
import type { ExtentRef, Placement } from '../../catalog/catalog.js';
import type { LiveVersion } from '../../catalog/compaction.js';
import type { ChunkHeader, Stored } from '../../chunk/chunk-store.js';
import type { ChunkId, PeerId, StripeId, UserId } from '../../chunk/ids.js';
import type { ChunkShape } from '../../chunk/segments.js';
import type { ErrorCode } from '../../errors.js';
import type { Transferred } from './port.js';

/** What a worker needs to be this peer towards the others. */
export interface WorkerIdentity {
  readonly peer: PeerId;
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
  /** PEM certificate of the network authority. */
  readonly authority: string;
}

/** How to reach a peer. */
export interface Target {
  readonly id: PeerId;
  /** As people know it. */
  readonly name: string;
  /** Undefined for this peer itself: its own store is used instead of the network. */
  readonly address: string | undefined;
  /** Of this peer itself, where its File Receiver is another process: that one's unix socket, and `address` is not used. */
  readonly socket?: string | undefined;
  /** DER. */
  readonly certificate: Uint8Array;
  /** It did not answer lately: one attempt is enough. */
  readonly doubtful: boolean;
}

// --- put --------------------------------------------------------------------------------------------------------------

/** A run of bytes of a local file, and what the file was when the put began. */
export interface LocalSource {
  readonly local: string;
  readonly device: string;
  readonly inode: string;
  readonly fileBytes: number;
  readonly modifiedMs: number;
}

/** A run of a file's bytes that becomes one extent of the stripe. */
export interface Piece extends LiveVersion {
  readonly fileOffset: number;
  readonly bytes: number;
  /** The file ends with this piece. */
  readonly last: boolean;
  readonly source: LocalSource | readonly Uint8Array[];
}

export interface StoreStripeJob {
  readonly job: number;
  readonly k: number;
  readonly m: number;
  readonly pieces: readonly Piece[];
  /** Without bytes: only the directory of the stripe tells of them. */
  readonly mentions: readonly LiveVersion[];
  readonly directorySalt: Uint8Array;
  readonly directoryKey: Uint8Array;
}

export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface StripeShape {
  readonly id: StripeId;
  readonly k: number;
  readonly m: number;
  readonly bytes: number;
  readonly chunkBytes: number;
  readonly directoryOffset: number;
  readonly directoryBytes: number;
  readonly chunks: readonly ChunkId[];
}

export interface Stray {
  readonly id: ChunkId;
  readonly peer: PeerId;
}

export interface StoredStripe {
  /** Absent when every piece failed and nothing was stored. */
  readonly stripe?: StripeShape & {
    readonly label: Uint8Array;
    readonly placement: readonly (Placement | undefined)[];
    /** Chunks that may lie at a peer that has not acknowledged them. */
    readonly strays: readonly Stray[];
  };
  /** One for each piece, in order. */
  readonly outcomes: readonly (ExtentRef | Failure)[];
}

/** The owner's consent, and where the chunks go: chunk i to target i, later ones replace targets that fail. */
export interface Authorization {
  readonly owner: UserId;
  readonly label: Uint8Array;
  readonly grant: Uint8Array;
  readonly targets: readonly Target[];
}

// --- get --------------------------------------------------------------------------------------------------------------

/** A run of one extent's plaintext, and where it goes. */
export interface ExtentRead {
  readonly extent: ExtentRef;
  /** Plaintext offsets in the extent. */
  readonly from: number;
  readonly to: number;
  /** Absent: the bytes come back in the result. */
  readonly output?: { readonly file: string; readonly position: number; readonly direct: boolean };
}

export interface FetchStripeJob {
  readonly job: number;
  readonly stripe: StripeId;
  readonly k: number;
  readonly m: number;
  readonly bytes: number;
  readonly chunkBytes: number;
  readonly chunks: readonly ChunkId[];
  /** Who holds each chunk; undefined where nobody is known to. */
  readonly sources: readonly (Target | undefined)[];
  /** Milliseconds per MiB lately, for each chunk's holder; Infinity = seems down. */
  readonly pace: readonly number[];
  readonly reads: readonly ExtentRead[];
}

export interface FetchedStripe {
  /** One for each read, in order: the plaintext where it was asked for, null where it went to a file. */
  readonly outcomes: readonly (readonly Uint8Array[] | Failure | null)[];
  /** Segments that were wrong at the peer that holds them. */
  readonly corrupt: readonly { readonly chunk: ChunkId; readonly peer: PeerId; readonly segments: readonly number[] }[];
}

/** A range of a stripe as it is coded. */
export interface ReadStripeJob extends Omit<FetchStripeJob, 'reads'> {
  readonly range: { readonly start: number; readonly end: number };
}

export interface ReadStripe {
  /** As the label's chunk ids name them. */
  readonly bytes: Uint8Array;
}

export function isFailure(outcome: object): outcome is Failure {
  return 'code' in outcome;
}

// --- the two sides ----------------------------------------------------------------------------------------------------

export interface Answer {
  readonly peer: PeerId;
  /** corrupt: what it sent is not the chunk that was asked for. */
  readonly how: 'well' | 'failed' | 'corrupt';
  readonly bytes: number;
  readonly ms: number;
}

/** A chunk of the own store, without the bytes that were asked for. */
export interface LocalChunk {
  readonly shape: ChunkShape;
  readonly label: Uint8Array;
}

/** Served by a worker. */
export interface WorkerCalls {
  storeStripe(job: StoreStripeJob, signal: AbortSignal): Promise<StoredStripe>;
  fetchStripe(job: FetchStripeJob, signal: AbortSignal): Promise<Transferred<FetchedStripe>>;
  readStripe(job: ReadStripeJob, signal: AbortSignal): Promise<ReadStripe>;
}

/** Served by the main thread: whatever needs keys, the members, the local store or memory. */
export interface HostCalls extends StripeHostCalls {
  /** What came with a job has been sealed: its memory is handed back, to be used again. */
  spent(params: { readonly buffers: readonly ArrayBuffer[] }, signal: AbortSignal): Promise<void>;
}

/** Of these, what a host of stripes does. */
export interface StripeHostCalls {
  authorize(
    params: { readonly job: number; readonly stripe: StripeShape },
    signal: AbortSignal,
  ): Promise<Authorization>;
  /** The bytes of the chunk are in memory that both threads share; the worker leaves them alone until this settles. */
  putLocal(params: { readonly header: ChunkHeader; readonly chunk: Uint8Array }, signal: AbortSignal): Promise<Stored>;
  /** Puts each segment into shared memory, where it lies in the chunk. */
  getLocal(
    params: { readonly id: ChunkId; readonly segments: readonly number[]; readonly into: Uint8Array },
    signal: AbortSignal,
  ): Promise<LocalChunk>;
  /** Bytes of files that are safe (put) or delivered (get) since the last call. */
  progress(params: { readonly job: number; readonly bytes: number }, signal: AbortSignal): Promise<void>;
  /** How a peer answered; bytes and ms are 0 for a failure. */
  answered(params: Answer, signal: AbortSignal): Promise<void>;
}
