import { idBytes, parseStripeId, parseUserId, type StripeId, type PeerId, type UserId } from '../../chunk/ids.js';
import { openSigned, sealSigned } from '../../chunk/signed.js';
import type { Signer } from '../../crypto/succession.js';
import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { ForgetBody } from '../../gen/shoal/v1/format.js';
import { MAX_FORGET_BYTES } from '../../limits.js';
import { fromBase64, toBase64 } from './stripe-record.js';

const FORMAT = 1;
const WHAT = 'order to forget a stripe';

/** Who orders to forget. */
export interface Forgetting {
  readonly owner: UserId;
  readonly by: Signer;
  /** Unix time. */
  readonly issuedMs: number;
}

/** Of a stripe's documents, for selectors. */
export interface Concerned {
  readonly owner: UserId;
  readonly peers: readonly PeerId[];
}

/** What the tombstones of a stripe's documents carry: its owner's signed order. */
export function writeForgotten(stripe: StripeId, { owner, issuedMs, by }: Forgetting): string {
  const body = ForgetBody.encode({ format: FORMAT, owner: idBytes(owner), stripe: idBytes(stripe), issuedMs }).finish();
  return toBase64(sealSigned('forget', body, by));
}

/** Whom it concerns stays legible: peers that pull only what concerns them must learn of it. */
export function tombstone(id: string, forgotten: string, concerns: Concerned): Document {
  return { _id: id, _deleted: true, forgotten, ...concerns };
}

/** @returns who ordered to forget this stripe; undefined when the tombstone carries no right order for it */
export function forgottenBy(stripe: StripeId, document: Document): UserId | undefined {
  const decoder = {
    what: WHAT,
    maxBytes: MAX_FORGET_BYTES,
    decode(bytes: Uint8Array) {
      const { format, owner, stripe: named } = ForgetBody.decode(bytes);
      if (format !== FORMAT) throw new StorageError('UNSUPPORTED', `This ${WHAT} has an unknown format.`);
      return { owner: parseUserId(owner), stripe: parseStripeId(named) };
    },
  };
  try {
    const order = openSigned('forget', decoder, fromBase64(document['forgotten'], MAX_FORGET_BYTES));
    return order.stripe === stripe ? order.owner : undefined;
  } catch (error) {
    if (!StorageError.is(error)) throw error;
    return undefined;
  }
}
