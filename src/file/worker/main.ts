/** Entry of a worker thread. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../../errors.js';
import type { WorkerIdentity } from './protocol.js';
import { StripeWorker } from './stripe-worker.js';

export interface WorkerData {
  readonly identity: WorkerIdentity;
  readonly buffers: number;
}

assert(parentPort !== null, 'this module runs in a worker thread');
const { identity, buffers } = workerData as WorkerData;
new StripeWorker(parentPort, identity, buffers);
