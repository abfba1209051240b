import type { PeerId } from '../../chunk/ids.js';
import { StripeBuffer } from '../../erasure/stripe-buffer.js';
import { onAbort } from '../../on-abort.js';
import { MessagePool } from '../../wire/message-pool.js';
import { RemoteStore } from '../../wire/remote-store.js';
import type { ChunkMover, WorkerContext } from './context.js';
import { fetchStripe } from './fetch-stripe.js';
import { MainStore } from './main-store.js';
import { PeerLanes } from './peer-lanes.js';
import { PortCalls, Transferred, type Endpoint, type Remote } from './port.js';
import type {
  FetchedStripe,
  FetchStripeJob,
  HostCalls,
  ReadStripe,
  ReadStripeJob,
  StoredStripe,
  StoreStripeJob,
  Target,
  WorkerIdentity,
} from './protocol.js';
import { readStripe } from './read-stripe.js';
import { storeStripe } from './store-stripe.js';

interface Connection {
  readonly address: string;
  readonly lanes: PeerLanes;
}

/**
 * One worker: moves stripes, with connections and stripe memory of its own. It holds no user's keys but those of the
 * extents under way; whatever needs the owner's consent it asks of the main thread.
 */
export class StripeWorker implements WorkerContext {
  readonly host: Remote<HostCalls>;
  readonly #identity: WorkerIdentity;
  readonly #own: MainStore;
  readonly #connections = new Map<PeerId, Connection>();
  /** For the messages of all connections: each alone would keep enough for its busiest moment. */
  readonly #pool = new MessagePool();
  readonly #free: StripeBuffer[] = [];
  readonly #waiting: ((buffer: StripeBuffer) => void)[] = [];

  /** @param buffers stripes that may be in memory at once */
  constructor(port: Endpoint, identity: WorkerIdentity, buffers: number) {
    this.#identity = identity;
    this.host = new PortCalls(port, this).remote<HostCalls>();
    this.#own = new MainStore(this.host);
    for (let n = 0; n < buffers; n++) this.#free.push(new StripeBuffer());
  }

  storeStripe(job: StoreStripeJob, signal: AbortSignal): Promise<StoredStripe> {
    return storeStripe(job, this, signal);
  }

  async fetchStripe(job: FetchStripeJob, signal: AbortSignal): Promise<Transferred<FetchedStripe>> {
    const fetched = await fetchStripe(job, this, signal);
    const buffers = new Set<ArrayBuffer>();
    for (const outcome of fetched.outcomes) {
      if (outcome === null || 'code' in outcome) continue;
      for (const { buffer } of outcome) if (buffer instanceof ArrayBuffer) buffers.add(buffer);
    }
    return new Transferred(fetched, [...buffers]);
  }

  readStripe(job: ReadStripeJob, signal: AbortSignal): Promise<ReadStripe> {
    return readStripe(job, this, signal);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map(({ lanes }) => lanes.close()));
    this.#connections.clear();
  }

  async mover(target: Target): Promise<ChunkMover> {
    const { address, socket } = target;
    if (address !== undefined) return this.#remote(target, address);
    if (socket === undefined) return this.#own;
    const receiver = await this.#remote(target, socket);
    // Its File Receiver writes the store; reading is for everyone here.
    return {
      put: (header, source, options) => receiver.put(header, source, options),
      get: (id, options) => this.#own.get(id, options),
    };
  }

  async #remote({ id, certificate, doubtful, socket }: Target, address: string): Promise<PeerLanes> {
    const known = this.#connections.get(id);
    // A peer that answered the main thread is up again, whatever this connection believes.
    const stale = known?.lanes.isBackingOff === true && !doubtful;
    if (known?.address === address && !stale) return known.lanes;
    await known?.lanes.close();
    const peer = { id, address, certificate, ...(socket !== undefined && { socket }) };
    const lanes = new PeerLanes(() => RemoteStore.open({ peer, tls: this.#identity, pool: this.#pool }));
    this.#connections.set(id, { address, lanes });
    return lanes;
  }

  async withBuffer<T>(signal: AbortSignal, use: (buffer: StripeBuffer) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const buffer = this.#free.pop() ?? (await this.#nextBuffer(signal));
    try {
      return await use(buffer);
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free.push(buffer);
      else next(buffer);
    }
  }

  #nextBuffer(signal: AbortSignal): Promise<StripeBuffer> {
    return new Promise((resolve, reject) => {
      const take = (buffer: StripeBuffer): void => {
        stopListening();
        resolve(buffer);
      };
      const stopListening = onAbort(signal, () => {
        this.#waiting.splice(this.#waiting.indexOf(take), 1);
        reject(signal.reason as Error);
      });
      this.#waiting.push(take);
    });
  }
}
