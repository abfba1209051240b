import { MessageChannel, Worker } from 'node:worker_threads';
import { StorageError } from '../../errors.js';
import type { WorkerData } from './main.js';
import { PortCalls, type Remote } from './port.js';
import type {
  FetchedStripe,
  FetchStripeJob,
  HostCalls,
  StoredStripe,
  StoreStripeJob,
  WorkerCalls,
  WorkerIdentity,
} from './protocol.js';
import { StripeWorker } from './stripe-worker.js';

export interface WorkerPoolOptions {
  readonly identity: WorkerIdentity;
  readonly host: HostCalls;
  /** Threads; 0 = none: the same code runs in this thread. */
  readonly threads: number;
  /** Stripes in the memory of each thread. */
  readonly stripesPerThread: number;
}

interface Member {
  readonly calls: Remote<WorkerCalls>;
  load: number;
  broken: boolean;
  close(): Promise<void>;
}

/** Spreads stripes over worker threads; each goes to the one with the least to do. A thread that dies is replaced. */
export class WorkerPool implements AsyncDisposable {
  readonly #options: WorkerPoolOptions;
  readonly #members: Member[];
  #closing: Promise<void> | undefined;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#members = Array.from({ length: Math.max(options.threads, 1) }, () => this.#open());
  }

  /** Stripes that may be under way at once; more wait inside the workers. */
  get slots(): number {
    return this.#members.length * this.#options.stripesPerThread;
  }

  storeStripe(job: StoreStripeJob, signal: AbortSignal): Promise<StoredStripe> {
    // The pieces of a stream are handed over, those of files are read by the worker.
    const transfer = job.pieces.flatMap(({ source }) => (Array.isArray(source) ? source.map(bufferOf) : []));
    return this.#run((calls) => calls.storeStripe(job, { signal, transfer: [...new Set(transfer)] }));
  }

  fetchStripe(job: FetchStripeJob, signal: AbortSignal): Promise<FetchedStripe> {
    return this.#run((calls) => calls.fetchStripe(job, { signal }));
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#members.map((member) => member.close())).then(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run<T>(use: (calls: Remote<WorkerCalls>) => Promise<T>): Promise<T> {
    for (const [index, member] of this.#members.entries()) {
      if (member.broken && this.#closing === undefined) this.#members[index] = this.#open();
    }
    const member = this.#members.reduce((least, next) => (next.load < least.load ? next : least));
    member.load++;
    try {
      return await use(member.calls);
    } finally {
      member.load--;
    }
  }

  #open(): Member {
    return this.#options.threads === 0 ? this.#openHere() : this.#openThread();
  }

  #openThread(): Member {
    const { identity, host, stripesPerThread } = this.#options;
    const workerData: WorkerData = { identity, buffers: stripesPerThread };
    const thread = new Worker(new URL('./main.js', import.meta.url), { workerData, name: 'shoal-stripes' });
    const port = new PortCalls(thread, host);
    const member: Member = {
      calls: port.remote<WorkerCalls>(),
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
    const { identity, host, stripesPerThread } = this.#options;
    const { port1, port2 } = new MessageChannel();
    const worker = new StripeWorker(port2, identity, stripesPerThread);
    const port = new PortCalls(port1, host);
    return {
      calls: port.remote<WorkerCalls>(),
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

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return bytes.buffer as ArrayBuffer;
}
