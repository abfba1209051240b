import type { Catalog, Session } from '../catalog/catalog.js';
import { segmentsOf, type ChunkHeader, type ChunkStore, type Receipt, type Stored } from '../chunk/chunk-store.js';
import { encodeGrant } from '../chunk/grant.js';
import type { PeerId } from '../chunk/ids.js';
import { encodeLabel } from '../chunk/label.js';
import { countUnder, type Counts } from '../counts.js';
import { assert } from '../errors.js';
import { GRANT_LIFETIME_MS, MAX_SPARE_TARGETS } from '../limits.js';
import type { PeerBook } from '../peers/peer-book.js';
import { candidateOf, place } from '../peers/placement.js';
import type { Authorization, StripeHostCalls, StripeShape, Target } from './worker/protocol.js';

export interface StripeHostOptions {
  readonly self: PeerId;
  readonly catalog: Catalog;
  readonly book: PeerBook;
  readonly local: ChunkStore;
  /** Chunks go to the own peer over this unix socket of its File Receiver, and not to `local`. */
  readonly receiverSocket?: string | undefined;
  /** This peer's promise for what its own store confirmed. */
  readonly signReceipt: (header: ChunkHeader) => Receipt;
  readonly counts: Counts;
}

/** Whose work a job is. */
export interface JobOwner {
  readonly session: Session;
  readonly onProgress: (bytes: number) => void;
  /**
   * Once it resolves, peers may come to hold chunks of the stripe: chunk i target i, those after the last chunk's any of
   * them.
   */
  readonly onAuthorized?: (stripe: StripeShape, targets: readonly Target[]) => Promise<void>;
}

/** The main thread's side of the workers: consent of the owner, choice of peers, the own store. */
export class StripeHost {
  readonly #options: StripeHostOptions;
  readonly #jobs = new Map<number, JobOwner>();
  #nextJob = 1;

  constructor(options: StripeHostOptions) {
    this.#options = options;
  }

  /** Runs a job of a worker in the owner's name. */
  async withJob<T>(owner: JobOwner, run: (job: number) => Promise<T>): Promise<T> {
    const job = this.#nextJob++;
    this.#jobs.set(job, owner);
    try {
      return await run(job);
    } finally {
      this.#jobs.delete(job);
    }
  }

  /** How to reach a peer; undefined for one that is no member any more. */
  target(id: PeerId): Target | undefined {
    const record = this.#options.book.get(id);
    if (record === undefined || record.state === 'removed') return undefined;
    const { name, address, certificate } = record;
    const { self, receiverSocket } = this.#options;
    return {
      id,
      name,
      address: id === self ? undefined : address,
      ...(id === self && receiverSocket !== undefined && { socket: receiverSocket }),
      certificate,
      doubtful: !this.#options.book.seemsUp(id),
    };
  }

  readonly calls: StripeHostCalls = {
    authorize: ({ job, stripe }) => this.#authorize(this.#owner(job), stripe),
    putLocal: ({ header, chunk }, signal) => this.#putLocal(header, chunk, signal),
    getLocal: async ({ id, segments, into }, signal) => {
      const { shape, label, segments: found } = await this.#options.local.get(id, { signal, segments });
      for await (const { index, bytes } of found) into.set(bytes, index * shape.segmentBytes);
      return { shape, label };
    },
    progress: async ({ job, bytes }) => {
      // A job that was cancelled may still report.
      this.#jobs.get(job)?.onProgress(bytes);
    },
    answered: async ({ peer, how, bytes, ms }) => {
      const { book, counts } = this.#options;
      const name = book.nameOf(peer);
      if (how === 'well') {
        book.reportSuccess(peer, { bytes, ms });
      } else if (how === 'failed') {
        book.reportFailure(peer);
        countUnder(counts.peerFailures, name);
      } else {
        book.reportCorrupt(peer);
        countUnder(counts.peerCorruptions, name);
      }
    },
  };

  #owner(job: number): JobOwner {
    const owner = this.#jobs.get(job);
    assert(owner !== undefined, `no job ${String(job)}`);
    return owner;
  }

  async #authorize({ session, onAuthorized }: JobOwner, stripe: StripeShape): Promise<Authorization> {
    const { catalog, self } = this.#options;
    const label = encodeLabel({ ...stripe, owner: session.user, stripeBytes: stripe.bytes });
    const grant = encodeGrant({
      owner: session.user,
      sourcePeer: self,
      stripe: stripe.id,
      bytes: stripe.chunks.length * stripe.chunkBytes,
      expiresMs: Date.now() + GRANT_LIFETIME_MS,
    });
    const targets = this.#targets(stripe);
    const [signedLabel, signedGrant] = await Promise.all([
      catalog.sign(session, 'label', label),
      catalog.sign(session, 'grant', grant),
      onAuthorized?.(stripe, targets),
    ]);
    return { owner: session.user, label: signedLabel, grant: signedGrant, targets };
  }

  /** In the order of placement, but those that did not answer lately last. */
  #targets({ id: stripe, chunks }: StripeShape): Target[] {
    const candidates = this.#options.book
      .targets()
      .filter(({ id }) => this.#options.book.isTrusted(id))
      .map(candidateOf);
    return place(stripe, candidates)
      .map((id) => this.target(id))
      .filter((target) => target !== undefined)
      .sort((a, b) => Number(a.doubtful) - Number(b.doubtful))
      .slice(0, chunks.length + MAX_SPARE_TARGETS);
  }

  async #putLocal(header: ChunkHeader, chunk: Uint8Array, signal: AbortSignal): Promise<Stored> {
    const stored = await this.#options.local.put(header, segmentsOf(chunk, header.segmentBytes), { signal });
    return { ...stored, receipt: this.#options.signReceipt(header) };
  }
}
