import { idBytes, parsePeerId, parseUserId, type PeerId, type UserId } from '../../chunk/ids.js';
import { openSigned, sealSigned } from '../../chunk/signed.js';
import type { Signer } from '../../crypto/succession.js';
import { HomeBody } from '../../gen/shoal/v1/format.js';
import { MAX_NETWORK_RECORD_BYTES } from '../../limits.js';
import { decodeSigned, isKnownFormat, type RecordKind } from './record-kind.js';

const FORMAT = 1;
const HASH = '[0-9a-f]{64}';
const WHAT = 'record of a home';

/** Whether a user is at home at a peer, in the user's own words. */
export interface Home {
  readonly user: UserId;
  readonly peer: PeerId;
  /** No longer. */
  readonly gone: boolean;
  /**
   * Of the keys: the home has the catalog of this generation whole, has brought all over into it that it had of former ones,
   * and writes into none of these any more. 0: it has said so of none.
   */
  readonly generation: number;
}

/** A home as it was signed. */
export interface HomeRecord extends Home {
  /** Unix time. */
  readonly issuedMs: number;
}

export const HOME_PREFIX = 'home-';

export function homeRecordId({ user, peer }: Pick<Home, 'user' | 'peer'>): string {
  return `${HOME_PREFIX}${user}-${peer}`;
}

export function writeHome(
  { user, peer, gone, generation }: Home,
  { by, ...issue }: { readonly counter: number; readonly issuedMs: number; readonly by: Signer },
): Uint8Array {
  const fields = { format: FORMAT, owner: idBytes(user), peer: idBytes(peer), gone, generation, ...issue };
  return sealSigned('home', HomeBody.encode(fields).finish(), by);
}

export const homeKind: RecordKind<HomeRecord> = {
  type: 'home',
  what: WHAT,
  ids: new RegExp(`^${HOME_PREFIX}${HASH}-${HASH}$`),
  open(signed) {
    const { body } = decodeSigned(WHAT, signed);
    const decoder = {
      what: WHAT,
      maxBytes: MAX_NETWORK_RECORD_BYTES,
      decode(bytes: Uint8Array) {
        const { owner, peer, generation: said, ...fields } = HomeBody.decode(bytes);
        return { ...fields, owner: parseUserId(owner), peer: parsePeerId(peer), said };
      },
    };
    const {
      owner: user,
      peer,
      gone,
      issuedMs,
      said,
      generation: signedBy,
      ...header
    } = openSigned('home', decoder, signed);
    // A key that was given up says nothing of those that came after it.
    const generation = Math.min(said, signedBy);
    const opened = { id: homeRecordId({ user, peer }), counter: header.counter, body, signed };
    return { ...opened, record: isKnownFormat(WHAT, header) ? { user, peer, gone, generation, issuedMs } : undefined };
  },
};
