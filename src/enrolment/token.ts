import { createHash } from 'node:crypto';
import { concatBytes, equalBytes, toHex, u64, utf8 } from '../bytes.js';
import { ID_BYTES, idBytes, parsePeerId, type PeerId } from '../chunk/ids.js';
import { TOKEN_LABEL } from '../crypto/labels.js';
import { StorageError } from '../errors.js';
import { MAX_TOKEN_ADDRESSES, MAX_TOKEN_CHARS } from '../limits.js';
import { fromBase32, toBase32 } from './base32.js';

/** What a new peer has to know to join, and to join nothing else. docs/spec/6-enrolment.md */
export interface Token {
  /** Id of the network. */
  readonly network: string;
  /** SHA-256 of the authority's certificate (DER), in hex. */
  readonly fingerprint: string;
  /** The peer that invites. */
  readonly issuer: PeerId;
  /** Its fronts, "host:port", one to MAX_TOKEN_ADDRESSES of them. */
  readonly addresses: readonly string[];
  /** SECRET_BYTES. */
  readonly secret: Uint8Array;
  /** Unix time. */
  readonly expiresMs: number;
}

export const SECRET_BYTES = 16;
const PREFIX = 'shoal1-';
const ANY_PREFIX = /^shoal\d+-/;
const CHECKSUM_BYTES = 4;
const TIME_BYTES = 8;
const MAX_ADDRESS_BYTES = 255;
const ADDRESS = /^[\x21-\x7e]+:\d{1,5}$/;

export function encodeToken(token: Token): string {
  const addresses = token.addresses.map((address) => {
    const bytes = utf8(address);
    if (!ADDRESS.test(address) || bytes.length > MAX_ADDRESS_BYTES) {
      throw new StorageError('INVALID_ARGUMENT', `An invitation cannot carry the address ${address}: use HOST:PORT.`);
    }
    return concatBytes(Uint8Array.of(bytes.length), bytes);
  });
  const body = concatBytes(
    idBytes(token.network),
    idBytes(token.fingerprint),
    idBytes(token.issuer),
    token.secret,
    u64(token.expiresMs),
    Uint8Array.of(addresses.length),
    ...addresses,
  );
  return PREFIX + toBase32(concatBytes(body, checksum(body)));
}

/** @param text as it was pasted: white space and case are nothing. @throws StorageError INVALID_ARGUMENT, UNSUPPORTED */
export function parseToken(text: string): Token {
  const joined = text.slice(0, MAX_TOKEN_CHARS).replaceAll(/\s/g, '').toLowerCase();
  if (!joined.startsWith(PREFIX)) {
    if (ANY_PREFIX.test(joined)) {
      throw new StorageError(
        'UNSUPPORTED',
        'This invitation is of a newer version of Shoal. Upgrade Shoal here first.',
      );
    }
    throw new StorageError('INVALID_ARGUMENT', `This is no invitation: one begins with ${PREFIX}.`);
  }
  const bytes = fromBase32(joined.slice(PREFIX.length));
  const body = bytes?.subarray(0, -CHECKSUM_BYTES);
  const isWhole = bytes !== undefined && body !== undefined && equalBytes(checksum(body), bytes.subarray(body.length));
  const token = isWhole ? readBody(body) : undefined;
  if (token !== undefined) return token;
  throw new StorageError(
    'INVALID_ARGUMENT',
    'This invitation is damaged: a part is missing or mistyped. Copy it again.',
  );
}

function checksum(body: Uint8Array): Uint8Array {
  return createHash('sha256').update(TOKEN_LABEL).update(body).digest().subarray(0, CHECKSUM_BYTES);
}

/** @returns undefined for bytes of another shape, which have a right checksum by intent only */
function readBody(body: Uint8Array): Token | undefined {
  let at = 0;
  const take = (length: number): Uint8Array => {
    const part = body.subarray(at, at + length);
    at += length;
    return part;
  };
  const [network, fingerprint, issuer] = [take(ID_BYTES), take(ID_BYTES), take(ID_BYTES)];
  const secret = Uint8Array.from(take(SECRET_BYTES));
  const time = take(TIME_BYTES);
  const [count = 0] = take(1);
  if (at > body.length || count < 1 || count > MAX_TOKEN_ADDRESSES) return undefined;
  const addresses: string[] = [];
  for (let n = 0; n < count; n++) {
    const [length = 0] = take(1);
    addresses.push(Buffer.from(take(length)).toString('latin1'));
  }
  const expiresMs = Number(new DataView(time.buffer, time.byteOffset).getBigUint64(0));
  const isSound =
    at === body.length && Number.isSafeInteger(expiresMs) && addresses.every((each) => ADDRESS.test(each));
  if (!isSound) return undefined;
  const ids = { network: toHex(network), fingerprint: toHex(fingerprint), issuer: parsePeerId(issuer) };
  return { ...ids, addresses, secret, expiresMs };
}
