import type { Document } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import { Signed } from '../../gen/shoal/v1/format.js';
import { decodeBounded } from '../../chunk/signed.js';
import { MAX_NETWORK_RECORD_BYTES } from '../../limits.js';

/** Of the envelope: what CouchDB sees around the signed bytes. */
const ENVELOPE_FORMAT = 1;

/** A signed record whose signature, id and network are right. */
export interface OpenRecord<T> {
  /** Of two records under one id the one that counts higher is valid. */
  readonly counter: number;
  /** Of two that count the same, the one whose body is lower, byte by byte; so every peer takes the same. */
  readonly body: Uint8Array;
  /** The encoded shoal.v1.Signed. */
  readonly signed: Uint8Array;
  /** undefined: rightly signed, in a format that this version of Shoal does not know. */
  readonly record: T | undefined;
  /** Unix time, both inclusive; absent: for ever. */
  readonly valid?: { readonly fromMs: number; readonly untilMs: number };
}

/** One sort of records of the database `network`. */
export interface RecordKind<T> {
  /** The field `type`, and how the ids begin. */
  readonly type: string;
  /** In words a user knows: "record of a peer". */
  readonly what: string;
  /** Whole ids. */
  readonly ids: RegExp;
  /**
   * Checks everything but the id that it lay under.
   *
   * @returns the id that the record has to lie under too
   * @throws StorageError LIMIT_EXCEEDED, CORRUPT, UNSUPPORTED, PERMISSION_DENIED, UNAUTHENTICATED
   */
  readonly open: (signed: Uint8Array) => OpenRecord<T> & { readonly id: string };
  /** Absent: every record does. False for one that counts higher, but that no one who made the known one can have made. */
  readonly follows?: (later: T, known: T) => boolean;
}

export function toRecordDocument(type: string, id: string, signed: Uint8Array): Document {
  return { _id: id, type, format: ENVELOPE_FORMAT, signed: Buffer.from(signed).toString('base64') };
}

/** @returns the signed bytes in a document that anyone may have written */
export function signedOf(document: Document, what: string): Uint8Array {
  const { format, signed } = document;
  if (typeof format === 'number' && format > ENVELOPE_FORMAT) throw newerFormat(what);
  if (format !== ENVELOPE_FORMAT || typeof signed !== 'string') {
    throw new StorageError('CORRUPT', `This ${what} has no signed part.`);
  }
  if (signed.length > Math.ceil(MAX_NETWORK_RECORD_BYTES / 3) * 4) {
    throw new StorageError('LIMIT_EXCEEDED', `A ${what} has at most ${String(MAX_NETWORK_RECORD_BYTES)} bytes.`);
  }
  return Uint8Array.from(Buffer.from(signed, 'base64'));
}

export function newerFormat(what: string): StorageError {
  return new StorageError(
    'UNSUPPORTED',
    `This ${what} was written by a newer version of Shoal. It is left as it is: upgrade Shoal on this machine.`,
  );
}

export function decodeSigned(what: string, signed: Uint8Array): Signed {
  return decodeBounded({ what, maxBytes: MAX_NETWORK_RECORD_BYTES, decode: (bytes) => Signed.decode(bytes) }, signed);
}

/** @returns false for a format from the future. @throws StorageError CORRUPT */
export function isKnownFormat(what: string, { format, counter }: { format: number; counter: number }): boolean {
  if (format < 1 || counter < 1) throw new StorageError('CORRUPT', `This ${what} does not make sense.`);
  return format === 1;
}

/** A total order: later records first. */
export function compareRecords(a: OpenRecord<unknown>, b: OpenRecord<unknown>): number {
  return b.counter - a.counter || Buffer.compare(a.body, b.body) || Buffer.compare(a.signed, b.signed);
}
