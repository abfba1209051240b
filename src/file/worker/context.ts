import type { ChunkStore } from '../../chunk/chunk-store.js';
import type { PeerId } from '../../chunk/ids.js';
import type { StripeBuffer } from '../../erasure/stripe-buffer.js';
import type { Remote } from './port.js';
import type { HostCalls, Target } from './protocol.js';

/** The part of a ChunkStore that moving stripes needs. */
export type ChunkMover = Pick<ChunkStore, 'put' | 'get'>;

/** What a worker's verbs work with. */
export interface WorkerContext {
  readonly host: Remote<HostCalls>;
  /** The store behind a target: a remote peer, or the own peer's through the main thread. */
  mover(target: Target): Promise<ChunkMover>;
  /** Runs `use` with a stripe's memory of its own; waits while all are taken. */
  withBuffer<T>(signal: AbortSignal, use: (buffer: StripeBuffer) => Promise<T>): Promise<T>;
}

/** Hands the memory of pieces back, which have been sealed. */
export function giveBack(context: WorkerContext, buffers: readonly ArrayBuffer[]): void {
  if (buffers.length > 0) notify(context.host.spent({ buffers }, { signal: neverAborted, transfer: buffers }));
}

/** Tells the main thread how a peer answered; nobody waits for it. */
export function answered(
  context: WorkerContext,
  peer: PeerId,
  transfer?: { readonly bytes: number; readonly ms: number },
): void {
  const how = transfer === undefined ? 'failed' : 'well';
  const params = { peer, how, bytes: transfer?.bytes ?? 0, ms: transfer?.ms ?? 0 } as const;
  notify(context.host.answered(params, { signal: neverAborted }));
}

/** Tells the main thread that a peer sent what is not the chunk that it was asked for. */
export function sentCorrupt(context: WorkerContext, peer: PeerId): void {
  notify(context.host.answered({ peer, how: 'corrupt', bytes: 0, ms: 0 }, { signal: neverAborted }));
}

const neverAborted = new AbortController().signal;

/** For calls whose answer nobody needs: they fail only when the main thread is gone, and then so is this worker. */
function notify(call: Promise<void>): void {
  call.catch(() => undefined);
}

/** Bytes reported at once: often enough for a progress bar, rarely enough to cost nothing. */
const REPORT_BYTES = 512 * 1024;

/** Sums up small steps of a job's progress. `total` is what all steps together must come to. */
export class ProgressReport {
  readonly #context: WorkerContext;
  readonly #job: number;
  readonly #total: number;
  #done = 0;
  #told = 0;

  constructor(context: WorkerContext, job: number, total: number) {
    this.#context = context;
    this.#job = job;
    this.#total = total;
  }

  add(bytes: number): void {
    this.#done = Math.min(this.#done + bytes, this.#total);
    if (this.#done - this.#told >= REPORT_BYTES) this.#tell();
  }

  finish(): void {
    this.#done = this.#total;
    if (this.#done > this.#told) this.#tell();
  }

  #tell(): void {
    const bytes = Math.floor(this.#done) - this.#told;
    this.#told += bytes;
    notify(this.#context.host.progress({ job: this.#job, bytes }, { signal: neverAborted }));
  }
}
