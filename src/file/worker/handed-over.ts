import type { StoreStripeJob } from './protocol.js';

/** The memory of pieces of streams, which goes from one thread to another; each once, though several may lie in one. */
export function handedOver({ pieces }: Pick<StoreStripeJob, 'pieces'>): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { source } of pieces) {
    if ('local' in source) continue;
    for (const { buffer } of source) if (buffer instanceof ArrayBuffer) buffers.add(buffer);
  }
  return [...buffers];
}
