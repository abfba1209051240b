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
}

export function homeRecordId({ user, peer }: Pick<Home, 'user' | 'peer'>): string {
  return `home-${user}-${peer}`;
}

export function writeHome(
  { user, peer, gone }: Home,
  { by, ...issue }: { readonly counter: number; readonly issuedMs: number; readonly by: Signer },
): Uint8Array {
  const fields = { format: FORMAT, owner: idBytes(user), peer: idBytes(peer), gone, ...issue };
  return sealSigned('home', HomeBody.encode(fields).finish(), by);
}

export const homeKind: RecordKind<Home> = {
  type: 'home',
  what: WHAT,
  ids: new RegExp(`^home-${HASH}-${HASH}$`),
  open(signed) {
    const { body } = decodeSigned(WHAT, signed);
    const decoder = {
      what: WHAT,
      maxBytes: MAX_NETWORK_RECORD_BYTES,
      decode(bytes: Uint8Array) {
        const { owner, peer, counter, format, gone } = HomeBody.decode(bytes);
        return { owner: parseUserId(owner), peer: parsePeerId(peer), counter, format, gone };
      },
    };
    const { owner: user, peer, gone, ...header } = openSigned('home', decoder, signed);
    const opened = { id: homeRecordId({ user, peer }), counter: header.counter, body, signed };
    return { ...opened, record: isKnownFormat(WHAT, header) ? { user, peer, gone } : undefined };
  },
};
