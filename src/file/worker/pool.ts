import { MessageChannel, Worker } from 'node:worker_threads';
import { StorageError } from '../../errors.js';
import { ExtentMemory } from '../extent-memory.js';
import { Permits } from '../permits.js';
import { Turns } from '../turns.js';
import type { WorkerData } from './main.js';
import { PortCalls, type Remote } from './port.js';
import { handedOver } from './handed-over.js';
import type {
  FetchedStripe,
  FetchStripeJob,
  HostCalls,
  ReadStripe,
  ReadStripeJob,
  StoredStripe,
  StoreStripeJob,
  StripeHostCalls,
  WorkerCalls,
  WorkerIdentity,
} from './protocol.js';
import { StripeWorker } from './stripe-worker.js';

export interface WorkerPoolOptions {
  readonly identity: WorkerIdentity;
  readonly host: StripeHostCalls;
  /** Threads; 0 = none: the same code runs in this thread. */
  readonly threads: number;
  /** Stripes in the memory of each thread; one more while there are both puts and gets. */
  readonly stripesPerThread: number;
}

interface Member {
  readonly calls: Remote<WorkerCalls>;
  /** As whom it calls other peers. */
  readonly identity: WorkerIdentity;
  load: number;
  broken: boolean;
  close(): Promise<void>;
}

/** Spreads stripes over worker threads; each goes to the one with the least to do. A thread that dies is replaced. */
export class WorkerPool implements AsyncDisposable {
  readonly #options: WorkerPoolOptions;
  readonly #members: Member[];
  /** Whoever has a stripe stored or fetched takes a turn first: then a worker has memory for it. */
  readonly turns: Turns;
  /** Whole extents that streams being read may hold in memory. */
  readonly ahead: Permits;
  /** Whole extents that streams being put may hold in memory … */
  readonly staged: Permits;
  /** … and where they come from. */
  readonly memory: ExtentMemory;
  readonly #host: HostCalls;
  #identity: WorkerIdentity;
  #closing: Promise<void> | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#identity = options.identity;
    const threads = Math.max(options.threads, 1);
    const each = threads * options.stripesPerThread;
    this.turns = new Turns({ each, together: each + threads });
    this.ahead = new Permits(each);
    this.staged = new Permits(2 * each);
    const memory = new ExtentMemory(2 * each);
    this.memory = memory;
    this.#host = {
      ...options.host,
      spent: async ({ buffers }) => {
        memory.give(buffers);
      },
    };
    this.#members = Array.from({ length: threads }, () => this.#open());
  }

  /** Stripes from now on are moved with this certificate; threads end when what they have begun is done. */
  renew(identity: WorkerIdentity): void {
    this.#identity = identity;
  }

  /** When its thread dies, another one begins anew, unless bytes were handed over that died with it. */
  storeStripe(job: StoreStripeJob, signal: AbortSignal): Promise<StoredStripe> {
    // The pieces of a stream are handed over, those of files are read by the worker.
    const transfer = handedOver(job);
    const use = (calls: Remote<WorkerCalls>): Promise<StoredStripe> => calls.storeStripe(job, { signal, transfer });
    return transfer.length === 0 ? this.#runTwice(use) : this.#run(use);
  }

  /** When its thread dies, another one begins anew. */
  fetchStripe(job: FetchStripeJob, signal: AbortSignal): Promise<FetchedStripe> {
    return this.#runTwice((calls) => calls.fetchStripe(job, { signal }));
  }

  /** When its thread dies, another one begins anew. */
  readStripe(job: ReadStripeJob, signal: AbortSignal): Promise<ReadStripe> {
    return this.#runTwice((calls) => calls.readStripe(job, { signal }));
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#members.map((member) => member.close())).then(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Twice and not for ever: the work itself may be what kills a thread. */
  async #runTwice<T>(use: (calls: Remote<WorkerCalls>) => Promise<T>): Promise<T> {
    const thread = { died: false };
    try {
      return await this.#run(use, () => (thread.died = true));
    } catch (error) {
      if (!thread.died || this.#closing !== undefined) throw error;
    }
    return await this.#run(use);
  }

  async #run<T>(use: (calls: Remote<WorkerCalls>) => Promise<T>, onDeath?: () => void): Promise<T> {
    for (const [index, member] of this.#members.entries()) {
      if (this.#closing !== undefined || !this.#isSpent(member)) continue;
      this.#members[index] = this.#open();
      if (!member.broken) void member.close();
    }
    const member = this.#members.reduce((least, next) => (next.load < least.load ? next : least));
    member.load++;
    try {
      return await use(member.calls);
    } catch (error) {
      if (member.broken) onDeath?.();
      throw error;
    } finally {
      member.load--;
    }
  }

  #isSpent({ broken, load, identity }: Member): boolean {
    return broken || (load === 0 && identity !== this.#identity);
  }

  #open(): Member {
    return this.#options.threads === 0 ? this.#openHere() : this.#openThread();
  }

  #openThread(): Member {
    const { stripesPerThread } = this.#options;
    const identity = this.#identity;
    const workerData: WorkerData = { identity, buffers: stripesPerThread + 1 };
    const thread = new Worker(new URL('./main.js', import.meta.url), { workerData, name: 'shoal-stripes' });
    const port = new PortCalls(thread, this.#host);
    const member: Member = {
      calls: port.remote<WorkerCalls>(),
      identity,
      load: 0,
      broken: false,
      close: async () => {
        member.broken = true;
        port.fail(new StorageError('CANCELLED', 'This peer is shutting down.'));
        await thread.terminate();
      },
    };
    const onEnd = (cause?: unknown): void => {
      member.broken = true;
      port.fail(new StorageError('UNAVAILABLE', 'A worker thread of this peer ended. Try again.', { cause }));
    };
    thread.on('error', onEnd);
    thread.on('exit', () => {
      onEnd();
    });
    return member;
  }

  #openHere(): Member {
    const { stripesPerThread } = this.#options;
    const identity = this.#identity;
    const { port1, port2 } = new MessageChannel();
    const worker = new StripeWorker(port2, identity, stripesPerThread + 1);
    const port = new PortCalls(port1, this.#host);
    return {
      calls: port.remote<WorkerCalls>(),
      identity,
      load: 0,
      broken: false,
      close: async () => {
        port.fail(new StorageError('CANCELLED', 'This peer is shutting down.'));
        await worker.close();
        port1.close();
        port2.close();
      },
    };
  }
}
