import { hash, randomBytes } from 'node:crypto';
import { SEGMENT_BYTES } from '../../src/limits.js';
import type { Work } from './cpu-per-gib.js';

/** SHA-256 of one segment after the other. */
export function hashWork(): Work {
  const segment = randomBytes(SEGMENT_BYTES);
  return (bytes) => {
    for (let done = 0; done < bytes; done += SEGMENT_BYTES) hash('sha256', segment, 'buffer');
  };
}
