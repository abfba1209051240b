import { once } from 'node:events';
import type { Runtime } from './runtime.js';

/** Copies to standard output at the pace of its reader. */
export async function writeOut(bytes: AsyncIterable<Uint8Array>, { stdout, signal }: Runtime): Promise<void> {
  for await (const part of bytes) {
    signal.throwIfAborted(); // also when the reader has gone away
    if (!stdout.write(part)) await drained(stdout, signal);
  }
}

async function drained(stdout: Runtime['stdout'], signal: AbortSignal): Promise<void> {
  try {
    await once(stdout, 'drain', { signal });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
