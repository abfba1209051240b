import { ERRORS, isErrorCode, StorageError, wrapError, type ErrorCode } from '../errors.js';

/** The body of a failure: CouchDB's two fields, and our code. */
export interface ErrorBody {
  readonly error: string;
  readonly reason: string;
  readonly code: ErrorCode;
}

interface CouchError {
  readonly status: number;
  readonly error: string;
}

/** How CouchDB says it, where it differs from our own HTTP status. */
const COUCH: Partial<Record<ErrorCode, CouchError>> = {
  INVALID_ARGUMENT: { status: 400, error: 'bad_request' },
  NOT_FOUND: { status: 404, error: 'not_found' },
  ALREADY_EXISTS: { status: 412, error: 'file_exists' },
  CONFLICT: { status: 409, error: 'conflict' },
  PERMISSION_DENIED: { status: 403, error: 'forbidden' },
  UNAUTHENTICATED: { status: 401, error: 'unauthorized' },
  LIMIT_EXCEEDED: { status: 413, error: 'too_large' },
  UNSUPPORTED: { status: 405, error: 'method_not_allowed' },
};

/** What Fastify itself refuses has a status of its own. */
function statusCodeOf(error: unknown): number | undefined {
  return error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number'
    ? error.statusCode
    : undefined;
}

/** What another peer is told of a failure that only this machine's owner can mend: its own text may name folders. */
const FOR_PEERS: Partial<Record<ErrorCode, string>> = {
  CONFLICT: 'Document update conflict.',
  NO_SPACE: 'The disk of this host is full.',
  CORRUPT: 'The database of this host is damaged.',
  UNAVAILABLE: 'The database of this host is not available now.',
  TIMEOUT: 'The database of this host took too long.',
};

function isRefusal(code: ErrorCode): boolean {
  return COUCH[code] !== undefined && code !== 'CONFLICT';
}

/** The same failure, without what is told to this machine alone. */
export function withoutPlaces({ status, body }: ReturnType<typeof errorReply>): ReturnType<typeof errorReply> {
  if (isRefusal(body.code)) return { status, body };
  return { status, body: { ...body, reason: FOR_PEERS[body.code] ?? 'This host failed.' } };
}

export function errorReply(thrown: unknown): { readonly status: number; readonly body: ErrorBody } {
  const own = statusCodeOf(thrown);
  if (own !== undefined && own >= 400 && own < 500 && !(thrown instanceof StorageError)) {
    const code = own === 413 ? 'LIMIT_EXCEEDED' : own === 404 ? 'NOT_FOUND' : 'INVALID_ARGUMENT';
    return { status: own, body: { error: 'bad_request', reason: (thrown as Error).message.slice(0, 500), code } };
  }
  const { code, message } = wrapError(thrown, 'The request');
  const { status, error } = COUCH[code] ?? { status: ERRORS[code].http, error: code.toLowerCase() };
  return { status, body: { error, reason: message, code } };
}

/** @param at where the server is, in words a user knows */
export function errorOf(status: number, body: unknown, at: string): StorageError {
  const { code, reason, error } = Object(body) as Partial<Record<keyof ErrorBody, unknown>>;
  const text = typeof reason === 'string' ? reason : typeof error === 'string' ? error : `status ${String(status)}`;
  if (isErrorCode(code)) return new StorageError(code, text);
  const known = Object.entries(COUCH).find(([, each]) => each.status === status)?.[0];
  const fallback = status >= 500 ? 'UNAVAILABLE' : 'INTERNAL';
  return new StorageError(isErrorCode(known) ? known : fallback, `${at} says: ${text}`);
}
