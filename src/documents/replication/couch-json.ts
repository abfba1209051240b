import { ERRORS, StorageError, type ErrorCode } from '../../errors.js';
import type { HttpCall, HttpReply, HttpSend } from '../../http-call.js';
import { MAX_ERROR_CHARS, MAX_PROBLEM_BYTES, REPLICATION_CALL_TIMEOUT_MS, REPLICATION_IDLE_MS } from '../../limits.js';
import { timeLimit } from '../../time-limit.js';
import { checkJsonBounds } from '../json-bounds.js';

export interface JsonCall {
  readonly method: HttpCall['method'];
  readonly path: string;
  readonly body?: unknown;
  /** Of the reply. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface JsonReply {
  readonly status: number;
  readonly value: unknown;
}

/** CouchDB's word for a full disk, whatever its status. */
const FULL = /enospc|insufficient_storage|no space|no_space/i;

const CODES: Readonly<Record<number, ErrorCode>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNSUPPORTED',
  408: 'TIMEOUT',
  409: 'CONFLICT',
  412: 'ALREADY_EXISTS',
  413: 'LIMIT_EXCEEDED',
  504: 'TIMEOUT',
  507: 'NO_SPACE',
};

/** What a person can do about it, who reads it in the status. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  UNAUTHENTICATED: 'It does not take the identity of this peer: check its clock, its secret and that we are a member.',
  PERMISSION_DENIED: 'This peer may not use that database there.',
  NOT_FOUND: 'The database is not there yet: the host makes it when it knows of it.',
  NO_SPACE: 'Its disk is full: free some space there.',
};

/** A stranger's text ends on somebody's terminal. */
function tame(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]+/gu, ' ').trim();
  return line.slice(0, MAX_ERROR_CHARS);
}

function failure(status: number, value: unknown): StorageError {
  const { error, reason } = Object(value) as { error?: unknown; reason?: unknown };
  const said = [error, reason].filter((each) => typeof each === 'string').join(': ');
  const code = FULL.test(said)
    ? 'NO_SPACE'
    : (CODES[status] ?? (status >= 500 || status === 429 ? 'UNAVAILABLE' : 'CORRUPT'));
  const advice = ADVICE[code] === undefined ? '' : ` ${ADVICE[code]}`;
  return new StorageError(code, `The backup host answered ${String(status)} (${tame(said)}).${advice}`);
}

async function collect(reply: HttpReply, maxBytes: number): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of reply.body) {
    bytes += part.length;
    if (bytes > maxBytes) {
      throw new StorageError('LIMIT_EXCEEDED', `The backup host answered with more than ${String(maxBytes)} bytes.`);
    }
    parts.push(part);
  }
  return Buffer.concat(parts, bytes);
}

function parse(text: Buffer): unknown {
  try {
    checkJsonBounds(text);
    return JSON.parse(text.toString());
  } catch (error) {
    if (error instanceof StorageError) throw error;
    throw new StorageError('CORRUPT', 'The backup host answered with something that is no JSON.', { cause: error });
  }
}

/**
 * Asks a CouchDB. Size, silence and duration of the answer are bounded, whoever gives it.
 *
 * @throws StorageError for every status but 2xx
 */
export async function couchJson(send: HttpSend, call: JsonCall): Promise<JsonReply> {
  const { method, path, body, maxBytes, signal } = call;
  using deadline = timeLimit(REPLICATION_CALL_TIMEOUT_MS, signal);
  try {
    const reply = await send({
      method,
      path,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      idleTimeoutMs: REPLICATION_IDLE_MS,
      signal: deadline.signal,
    });
    const isGood = reply.status >= 200 && reply.status < 300;
    const text = await collect(reply, isGood ? maxBytes : MAX_PROBLEM_BYTES);
    if (!isGood) throw failure(reply.status, parseOr(text));
    return { status: reply.status, value: parse(text) };
  } catch (error) {
    signal.throwIfAborted();
    if (deadline.isOver) {
      const seconds = String(REPLICATION_CALL_TIMEOUT_MS / 1000);
      throw new StorageError('TIMEOUT', `The backup host did not end its answer within ${seconds} s.`, {
        cause: error,
      });
    }
    throw error;
  }
}

/** Error pages of proxies are no JSON. */
function parseOr(text: Buffer): unknown {
  try {
    return parse(text);
  } catch (error) {
    if (!StorageError.is(error, 'CORRUPT', 'LIMIT_EXCEEDED')) throw error;
    return { error: text.subarray(0, MAX_ERROR_CHARS).toString('latin1') };
  }
}

/** A failure of one document of a batch, by its error, that may be gone the next time. */
export function isPassing(error: string): boolean {
  return !/^(forbidden|unauthorized|doc_validation|bad_request|too_large|document_too_large|conflict)$/.test(error);
}

export function passingFailure(error: string, reason: string): StorageError {
  const code = FULL.test(`${error} ${reason}`) ? 'NO_SPACE' : 'UNAVAILABLE';
  const advice = ADVICE[code] ?? 'It will be tried again.';
  const kind = ERRORS[code].retryable ? 'for now' : 'for good';
  return new StorageError(code, `The backup host could not write (${tame(`${error}: ${reason}`)}), ${kind}. ${advice}`);
}
