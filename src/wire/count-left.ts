import { StorageError } from '../errors.js';
import type { CountLeftResponse } from '../gen/shoal/v1/receiver.js';
import { RECEIVER } from './methods.js';
import type { PeerChannel } from './peer-channel.js';

/** What a peer that is leaving holds and no other peer does. */
export interface Left {
  readonly chunks: number;
  readonly bytes: number;
  /** Unix time there; 0: not counted yet. */
  readonly countedMs: number;
}

/** @throws StorageError CONFLICT when this peer is not leaving */
export type CountLeft = () => Left;

/** The server's side. Any member may ask: two numbers tell nothing of whose chunks they are. */
export function countLeft(count: CountLeft | undefined): CountLeftResponse {
  if (count === undefined) throw new StorageError('UNSUPPORTED', 'This peer does not count what it holds.');
  const { chunks, bytes, countedMs } = count();
  return { chunks, bytes, countedMs };
}

/** The client's side. A peer may say what it likes: whoever believes that nothing is left looks into the records as well. */
export async function askLeft(channel: PeerChannel, options: { readonly signal: AbortSignal }): Promise<Left> {
  const { chunks, bytes, countedMs } = await channel.unary(RECEIVER.countLeft, {}, options);
  return { chunks, bytes, countedMs };
}
