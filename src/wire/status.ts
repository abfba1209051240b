import { Metadata, status } from '@grpc/grpc-js';
import { ERRORS, isErrorCode, StorageError, type ErrorCode } from '../errors.js';
import { MAX_ERROR_CHARS } from '../limits.js';

/** Trailer that carries the StorageError code; the gRPC status is the nearest of gRPC's own. */
export const ERROR_CODE_TRAILER = 'shoal-error-code';

/** A failed call as grpc-js takes it from a handler and gives it to a client; from a stranger, with any code. */
export interface Refusal extends Error {
  readonly code: number;
  readonly details: string;
  readonly metadata: Metadata;
}

/** One line without control characters, cut to MAX_ERROR_CHARS: the text of a stranger ends on somebody's terminal. */
function tame(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
  const cut = line.length <= MAX_ERROR_CHARS ? line : `${line.slice(0, MAX_ERROR_CHARS - 1)}…`;
  // grpc-js escapes it with encodeURI, which throws for half a surrogate pair.
  return cut.replace(/\p{Cs}/gu, '\ufffd');
}

/** Code and message cross; cause and stack never do, and of an INTERNAL error not even the message. */
export function toRefusal(error: unknown): Refusal {
  const known = error instanceof StorageError ? error : new StorageError('INTERNAL', '', { cause: error });
  const details =
    known.code === 'INTERNAL' ? 'The peer failed for a reason of its own; its log says which.' : tame(known.message);
  const metadata = new Metadata();
  metadata.set(ERROR_CODE_TRAILER, known.code);
  return Object.assign(new Error(details), { code: ERRORS[known.code].grpc, details, metadata });
}

/**
 * What gRPC itself, a proxy or another implementation means when the trailer is missing. INTERNAL and UNKNOWN are then
 * trouble of the transport (a reset stream, a proxy's error page): the peer is as good as absent.
 */
const FOREIGN: Readonly<Record<number, ErrorCode>> = {
  [status.CANCELLED]: 'CANCELLED',
  [status.UNKNOWN]: 'UNAVAILABLE',
  [status.INVALID_ARGUMENT]: 'INVALID_ARGUMENT',
  [status.DEADLINE_EXCEEDED]: 'TIMEOUT',
  [status.NOT_FOUND]: 'NOT_FOUND',
  [status.ALREADY_EXISTS]: 'ALREADY_EXISTS',
  [status.PERMISSION_DENIED]: 'PERMISSION_DENIED',
  [status.RESOURCE_EXHAUSTED]: 'LIMIT_EXCEEDED',
  [status.FAILED_PRECONDITION]: 'CONFLICT',
  [status.ABORTED]: 'CONFLICT',
  [status.OUT_OF_RANGE]: 'LIMIT_EXCEEDED',
  [status.UNIMPLEMENTED]: 'UNSUPPORTED',
  [status.INTERNAL]: 'UNAVAILABLE',
  [status.UNAVAILABLE]: 'UNAVAILABLE',
  [status.DATA_LOSS]: 'CORRUPT',
  [status.UNAUTHENTICATED]: 'UNAUTHENTICATED',
};

/** What grpc-js adds about looking up the address, which says nothing where addresses are numbers. */
const RESOLUTION_NOTE = /\.?\s*Resolution note:.*$/s;

/** @param peer how the user knows the other side */
export function fromServiceError(error: Refusal, peer: string): StorageError {
  const [trailer] = error.metadata.get(ERROR_CODE_TRAILER);
  const code = isErrorCode(trailer) ? trailer : (FOREIGN[error.code] ?? 'UNAVAILABLE');
  return new StorageError(code, `${peer}: ${tame(error.details.replace(RESOLUTION_NOTE, '.'))}`, { cause: error });
}
