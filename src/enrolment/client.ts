import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { z } from 'zod';
import type { PeerId } from '../chunk/ids.js';
import { isErrorCode, StorageError } from '../errors.js';
import { httpCall } from '../http-call.js';
import { ENROL_CALL_TIMEOUT_MS, MAX_ENROL_REPLY_BYTES, MAX_ERROR_CHARS } from '../limits.js';
import { timeLimit } from '../time-limit.js';
import { expectPeer, secureContextOptions, type TlsIdentity } from '../wire/tls.js';

/** Another peer's `/enrol`, and how far it is believed. */
export interface EnrolmentPlace {
  /** "host:port" of its front. */
  readonly address: string;
  readonly trust: Trust;
}

export type Trust =
  /** Nobody is: what it says is compared with an invitation. Nothing secret is sent. */
  | 'nobody'
  /** It has to show a certificate of this authority (PEM), for the key of this peer; we show ours, where we have one. */
  | { readonly issuer: PeerId; readonly authority: string }
  | { readonly issuer: PeerId; readonly tls: TlsIdentity };

export interface EnrolmentCall<T> {
  readonly path: string;
  /** Absent: GET. */
  readonly body?: unknown;
  readonly answer: z.ZodType<T>;
  readonly signal: AbortSignal;
}

const PROBLEM = z.object({ code: z.string(), message: z.string() });

/** The peer itself refused, so it has changed nothing. */
export class Refused {
  readonly error: StorageError;

  constructor(error: StorageError) {
    this.error = error;
  }
}

/**
 * Asks another peer's `/enrol`.
 *
 * @returns the answer, or the refusal
 * @throws StorageError UNAVAILABLE, TIMEOUT when it may or may not have heard us; UNAUTHENTICATED when it is somebody else
 */
export async function askEnrolment<T>(place: EnrolmentPlace, call: EnrolmentCall<T>): Promise<T | Refused> {
  const { path, body, answer, signal } = call;
  const where = `the peer at ${place.address}`;
  using limit = timeLimit(2 * ENROL_CALL_TIMEOUT_MS, signal);
  const reply = await httpCall(
    { ...hostOf(place.address), ...tlsOptions(place.trust), agent: false },
    {
      method: body === undefined ? 'GET' : 'POST',
      path,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      idleTimeoutMs: ENROL_CALL_TIMEOUT_MS,
      signal: limit.signal,
    },
    where,
  );
  const value = parse(await readAll(reply.body, where));
  if (reply.status >= 400) return new Refused(refusalOf(value, where, reply.status));
  const checked = answer.safeParse(value);
  if (reply.status === 200 && checked.success) return checked.data;
  throw new StorageError('UNAVAILABLE', `There is no Shoal peer at ${place.address}, or one of another version.`);
}

function hostOf(address: string): { readonly protocol: string; readonly hostname: string; readonly port: string } {
  const { hostname, port } = new URL(`https://${address}`);
  return { protocol: 'https:', hostname: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? '443' : port };
}

function tlsOptions(trust: Trust): ConnectionOptions {
  // Not a host name of DNS: certificates are compared by key.
  const common = { servername: '', minVersion: 'TLSv1.3' as const };
  if (trust === 'nobody') return { ...common, rejectUnauthorized: false };
  const checkServerIdentity = expectPeer(trust.issuer, () => undefined);
  if ('tls' in trust) return { ...common, ...secureContextOptions(trust.tls), checkServerIdentity };
  return { ...common, ca: trust.authority, checkServerIdentity };
}

async function readAll(body: AsyncIterable<Uint8Array>, where: string): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body) {
    bytes += part.length;
    if (bytes > MAX_ENROL_REPLY_BYTES) {
      throw new StorageError('LIMIT_EXCEEDED', `${where} answers with more than anyone needs to join.`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts);
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined; // somebody else's page; whoever reads it says so
  }
}

function refusalOf(value: unknown, where: string, status: number): StorageError {
  const { data } = PROBLEM.safeParse(value);
  if (data !== undefined && isErrorCode(data.code)) {
    return new StorageError(data.code, data.message.slice(0, MAX_ERROR_CHARS));
  }
  if (status === 429 || status >= 500) {
    return new StorageError('UNAVAILABLE', `${where} cannot answer at this moment. Try again in a minute.`);
  }
  return new StorageError('UNSUPPORTED', `${where} answered with HTTP status ${String(status)}. Is it a Shoal peer?`);
}

/** An address that others can use: a name or IP address, and a port. @throws StorageError INVALID_ARGUMENT */
export function demandAdvertisable(address: string): void {
  const host = address.replace(/:\d{1,5}$/, '').replace(/^\[|\]$/g, '');
  const isUnspecified = isIP(host) !== 0 && /^[0:.]*$/.test(host);
  if (host !== '' && host !== address && !isUnspecified) return;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `Other peers cannot reach ${address}: say with --address HOST:PORT where they reach this machine.`,
  );
}
