import { idBytes, parseUserId, type UserId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type { GetOwnerRequest, GetOwnerResponse } from '../gen/shoal/v1/receiver.js';
import { MAX_OWNERS_PER_ANSWER, MAX_USER_DOCUMENT_BYTES, MAX_USER_NAME_CHARS } from '../limits.js';
import { RECEIVER } from './methods.js';
import type { PeerChannel } from './peer-channel.js';

/** Which user's documents are wanted: by id, or by a name that may have been given twice. */
export type AskedOwner = { readonly owner: UserId } | { readonly name: string };

/** What this peer keeps of a user: encoded shoal.v1.Signed with the body UserBody, at most MAX_OWNERS_PER_ANSWER. */
export type OwnerLookup = (asked: AskedOwner) => Promise<readonly Uint8Array[]>;

/** The server's side. Any member may ask: the documents are public within the network. */
export async function getOwner(lookup: OwnerLookup | undefined, { user }: GetOwnerRequest): Promise<GetOwnerResponse> {
  if (lookup === undefined) throw new StorageError('UNSUPPORTED', 'This peer keeps no documents of users.');
  if (user === undefined) throw new StorageError('INVALID_ARGUMENT', 'The request names no user.');
  if (user.$case === 'owner') return { documents: [...(await lookup({ owner: parseUserId(user.value) }))] };
  if (user.value.length > MAX_USER_NAME_CHARS) throw new StorageError('LIMIT_EXCEEDED', 'The user name is too long.');
  return { documents: (await lookup({ name: user.value })).slice(0, MAX_OWNERS_PER_ANSWER) };
}

/**
 * The client's side.
 *
 * @returns the documents as they came; whether a user signed them is for the caller to find out
 * @throws StorageError CORRUPT for more, or for larger ones, than any peer keeps
 */
export async function askOwner(
  channel: PeerChannel,
  asked: AskedOwner,
  options: { readonly signal: AbortSignal },
): Promise<readonly Uint8Array[]> {
  const user =
    'owner' in asked
      ? ({ $case: 'owner', value: idBytes(asked.owner) } as const)
      : ({ $case: 'name', value: asked.name } as const);
  const { documents } = await channel.unary(RECEIVER.getOwner, { user }, options);
  if (documents.length > MAX_OWNERS_PER_ANSWER || documents.some(({ length }) => length > MAX_USER_DOCUMENT_BYTES)) {
    throw new StorageError('CORRUPT', `${channel.name} sent documents of users that are too many or too large.`);
  }
  return documents.map((document) => Uint8Array.from(document));
}
