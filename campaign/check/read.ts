import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlClient } from '../../src/cli/control-client.js';
import { StorageError } from '../../src/errors.js';
import { timeLimit } from '../../src/time-limit.js';
import { judge, type Claim, type Observation, type Violation } from './ledger.js';

/** Longer than any peer waits for another. */
export const CALL_TIMEOUT_MS = 60_000;
const PAUSE_MS = 500;

/** Opens a client of some peer whose calls this signal ends. */
export type Connect = (signal: AbortSignal) => ControlClient;

/** Calls with a client that is closed afterwards, for CALL_TIMEOUT_MS at most. */
export async function call<T>(
  connect: Connect,
  signal: AbortSignal,
  work: (client: ControlClient) => Promise<T>,
): Promise<T> {
  using limit = timeLimit(CALL_TIMEOUT_MS, signal);
  await using client = connect(limit.signal);
  return await work(client);
}

/** Reads a whole file. */
export async function observe(connect: Connect, path: string, signal: AbortSignal): Promise<Observation> {
  try {
    return await call(connect, signal, async (client) => {
      const hash = createHash('sha256');
      for await (const part of client.download(path)) hash.update(part);
      return { kind: 'content', digest: hash.digest('hex') };
    });
  } catch (error) {
    signal.throwIfAborted();
    if (StorageError.is(error, 'NOT_FOUND')) return { kind: 'absent' };
    const code = StorageError.is(error) ? error.code : 'UNKNOWN';
    return { kind: 'failed', code, message: error instanceof Error ? error.message : String(error) };
  }
}

/**
 * Compares what is there with what may be there. What is missing, unreadable or back is looked at again for `patienceMs`:
 * records take a moment to come to a reader, and who was away a moment is not asked at once. No time makes wrong content
 * right, nor an answer that nothing excuses.
 */
export async function verify(
  connect: Connect,
  claim: Claim,
  { signal, patienceMs }: { readonly signal: AbortSignal; readonly patienceMs: number },
): Promise<Violation | undefined> {
  const begun = performance.now();
  for (;;) {
    const seen = new Map<string, Observation>();
    for (const path of claim.paths) seen.set(path, await observe(connect, path, signal));
    const violation = judge(claim, seen);
    const isFinal = violation === undefined || violation.kind === 'wrong-content' || violation.kind === 'broken';
    if (isFinal || performance.now() - begun > patienceMs) return violation;
    await sleep(PAUSE_MS, undefined, { signal });
  }
}
