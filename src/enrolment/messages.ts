import { z } from 'zod';
import type { Document } from '../documents/document-database.js';
import { MAX_CERTIFICATE_REQUEST_BYTES, MAX_ENROL_BODY_BYTES, MAX_NETWORK_RECORD_BYTES } from '../limits.js';

/** What `/enrol` is asked, and answers: JSON, bytes in base64. docs/spec/6-enrolment.md */
export const PATHS = {
  /** GET: whose network this is. */
  network: '/enrol/network',
  /** POST CertifyRequest: a first certificate, or one after the last has expired. */
  certificate: '/enrol/certificate',
  /** POST RenewRequest, with the client certificate that is to be renewed. */
  renewal: '/enrol/renewal',
  /** POST RecordRequest, with a client certificate: what a peer says of itself. */
  record: '/enrol/record',
} as const;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** @param most bytes */
const bytes = (most: number) =>
  z
    .string()
    .max(Math.ceil(most / 3) * 4)
    .regex(BASE64)
    .transform((text) => Uint8Array.from(Buffer.from(text, 'base64')));

const pem = z.string().max(MAX_NETWORK_RECORD_BYTES);

const record = z.strictObject({
  _id: z.string().max(256),
  type: z.string().max(32),
  format: z.number(),
  signed: z.string().max(MAX_ENROL_BODY_BYTES).regex(BASE64),
}) satisfies z.ZodType<Document>;

export const MESSAGES = {
  certify: z.strictObject({ secret: bytes(64), request: bytes(MAX_CERTIFICATE_REQUEST_BYTES) }),
  renew: z.strictObject({ request: bytes(MAX_CERTIFICATE_REQUEST_BYTES) }),
  record: z.strictObject({ record }),
} as const;

/** Answers may get more fields: whoever knows them takes them. */
export const ANSWERS = {
  network: z.object({ authority: pem, timeMs: z.number() }),
  certified: z.object({
    certificate: bytes(MAX_NETWORK_RECORD_BYTES),
    records: z.array(record),
    authorityKey: pem.optional(),
  }),
  renewed: z.object({ certificate: bytes(MAX_NETWORK_RECORD_BYTES) }),
  taken: z.object({}),
} as const;

export function toBase64(from: Uint8Array): string {
  return Buffer.from(from).toString('base64');
}
