import { idBytes, type PeerId, parseStripeId, type StripeId, type UserId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type { AskHomeRequest, AskHomeResponse } from '../gen/shoal/v1/sender.js';
import { MAX_IDS_PER_CALL } from '../limits.js';
import { SENDER } from './methods.js';
import type { PeerChannel } from './peer-channel.js';
import type { Permissions } from './permissions.js';
import type { Visit } from './server-call.js';

/** What a peer says of stripes that another one knows no file for. */
export interface HomeAnswer {
  /** A file of its user may come to lie in them. */
  readonly held: ReadonlySet<StripeId>;
  /** Of the newest change that it wrote into the user's catalog, at the earliest after it looked which are held; 0: none. */
  readonly counter: number;
  /** Of the newest change of whoever asks that it has ever seen: one that was put back to an old disk learns of it so. */
  readonly callerCounter: number;
}

/** Answers for this peer, be the user locked. */
export type HomeLookup = (asked: {
  readonly owner: UserId;
  readonly stripes: readonly StripeId[];
  readonly caller: PeerId;
}) => Promise<HomeAnswer>;

/** The server's side. */
export async function answerHome(
  options: { readonly permissions: Pick<Permissions, 'checkList'>; readonly home?: HomeLookup },
  { order, stripes }: AskHomeRequest,
  { caller }: Visit,
): Promise<AskHomeResponse> {
  if (options.home === undefined) throw new StorageError('UNSUPPORTED', 'This peer is nobody’s home.');
  const owner = options.permissions.checkList(order, caller);
  demandBounded(stripes);
  const { held, ...counters } = await options.home({ owner, stripes: stripes.map(parseStripeId), caller });
  return { held: Array.from(held, (id) => idBytes(id)), ...counters };
}

/** The client's side. @param asked the order is signed by the owner for both peers @throws StorageError CORRUPT */
export async function askHome(
  channel: PeerChannel,
  asked: { readonly order: Uint8Array; readonly stripes: readonly StripeId[] },
  options: { readonly signal: AbortSignal },
): Promise<HomeAnswer> {
  const { order, stripes } = asked;
  demandBounded(stripes);
  const request = { order, stripes: stripes.map((id) => idBytes(id)) };
  const { held, counter, callerCounter } = await channel.unary(SENDER.askHome, request, options);
  try {
    const told = new Set(held.map(parseStripeId));
    return { held: new Set(stripes.filter((id) => told.has(id))), counter, callerCounter };
  } catch (error) {
    throw new StorageError('CORRUPT', `${channel.name} sent an answer that could not be read.`, { cause: error });
  }
}

function demandBounded(stripes: readonly unknown[]): void {
  if (stripes.length <= MAX_IDS_PER_CALL) return;
  throw new StorageError('LIMIT_EXCEEDED', `At most ${String(MAX_IDS_PER_CALL)} stripe ids fit in one call.`);
}
