import { randomFillSync } from 'node:crypto';
import { StripeBuffer } from '../../src/erasure/stripe-buffer.js';
import type { Scheme } from '../../src/peers/scheme.js';
import { FLOOR_STEP_BYTES, type Work } from './cpu-per-gib.js';

/** Computes the parity of a stripe in place, again and again. The bytes counted are those of the stripe. */
export function codeWork({ k, m }: Scheme): Work {
  const buffer = new StripeBuffer();
  buffer.shape(k, m, FLOOR_STEP_BYTES / k);
  randomFillSync(buffer.data());
  return (bytes) => {
    for (let done = 0; done < bytes; done += FLOOR_STEP_BYTES) buffer.encode();
  };
}
