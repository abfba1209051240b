/**
 * The closed set of failures. Callers switch on `code`, never on text; `docs/errors.md` explains each to a person and a
 * test holds the two together. gRPC numbers: https://grpc.github.io/grpc/core/md_doc_statuscodes.html; SFTP numbers:
 * draft-ietf-secsh-filexfer-02 section 7.
 */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'LOCKED'
  | 'CORRUPT'
  | 'NO_SPACE'
  | 'TOO_FEW_PEERS'
  | 'UNAVAILABLE'
  | 'TIMEOUT'
  | 'CANCELLED'
  | 'UNSUPPORTED'
  | 'LIMIT_EXCEEDED'
  | 'CONFLICT'
  | 'PRECONDITION_FAILED'
  | 'INTERNAL';

interface Mapping {
  readonly grpc: number;
  readonly http: number;
  readonly sftp: number;
  readonly exit: number;
  /** The same call may succeed later without anybody changing it. */
  readonly retryable: boolean;
}

/** The one table: code → gRPC status, HTTP status, SFTP status, exit code, retryable. */
export const ERRORS: Readonly<Record<ErrorCode, Mapping>> = {
  INTERNAL: { grpc: 13, http: 500, sftp: 4, exit: 1, retryable: false },
  INVALID_ARGUMENT: { grpc: 3, http: 400, sftp: 4, exit: 2, retryable: false },
  NOT_FOUND: { grpc: 5, http: 404, sftp: 2, exit: 3, retryable: false },
  ALREADY_EXISTS: { grpc: 6, http: 409, sftp: 4, exit: 4, retryable: false },
  PERMISSION_DENIED: { grpc: 7, http: 403, sftp: 3, exit: 5, retryable: false },
  UNAUTHENTICATED: { grpc: 16, http: 401, sftp: 3, exit: 6, retryable: false },
  LOCKED: { grpc: 9, http: 423, sftp: 3, exit: 7, retryable: false },
  CORRUPT: { grpc: 15, http: 502, sftp: 4, exit: 8, retryable: false },
  NO_SPACE: { grpc: 8, http: 507, sftp: 4, exit: 9, retryable: true },
  TOO_FEW_PEERS: { grpc: 9, http: 503, sftp: 4, exit: 10, retryable: true },
  UNAVAILABLE: { grpc: 14, http: 503, sftp: 4, exit: 11, retryable: true },
  TIMEOUT: { grpc: 4, http: 504, sftp: 4, exit: 12, retryable: true },
  UNSUPPORTED: { grpc: 12, http: 501, sftp: 8, exit: 13, retryable: false },
  LIMIT_EXCEEDED: { grpc: 11, http: 413, sftp: 4, exit: 14, retryable: false },
  CONFLICT: { grpc: 10, http: 409, sftp: 4, exit: 15, retryable: true },
  PRECONDITION_FAILED: { grpc: 9, http: 412, sftp: 4, exit: 16, retryable: false },
  CANCELLED: { grpc: 1, http: 499, sftp: 4, exit: 130, retryable: true },
};

export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/** The only error class that crosses a module boundary. `message` says what to do next and never holds a secret. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  static is(error: unknown, ...codes: ErrorCode[]): error is StorageError {
    return error instanceof StorageError && (codes.length === 0 || codes.includes(error.code));
  }
}

const SYSTEM_CODES: Readonly<Record<string, ErrorCode>> = {
  ENOENT: 'NOT_FOUND',
  ENOTDIR: 'NOT_FOUND',
  EEXIST: 'ALREADY_EXISTS',
  EACCES: 'PERMISSION_DENIED',
  EPERM: 'PERMISSION_DENIED',
  EROFS: 'PERMISSION_DENIED',
  ENOSPC: 'NO_SPACE',
  EDQUOT: 'NO_SPACE',
  EFBIG: 'NO_SPACE',
  EISDIR: 'INVALID_ARGUMENT',
  ENAMETOOLONG: 'INVALID_ARGUMENT',
  EINVAL: 'INVALID_ARGUMENT',
  ECONNREFUSED: 'UNAVAILABLE',
  ECONNRESET: 'UNAVAILABLE',
  EPIPE: 'UNAVAILABLE',
  EMFILE: 'UNAVAILABLE',
  ETIMEDOUT: 'TIMEOUT',
  EIO: 'CORRUPT',
};

function systemCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Wraps a foreign error once, where it enters; a StorageError passes through unchanged.
 *
 * @param doing what was being tried, in words a user knows: "reading /photos/cat.jpg"
 */
export function wrapError(error: unknown, doing: string): StorageError {
  if (error instanceof StorageError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new StorageError('CANCELLED', `${doing} was cancelled.`, { cause: error });
  }
  const system = systemCode(error);
  const known = system !== undefined && Object.hasOwn(SYSTEM_CODES, system) ? SYSTEM_CODES[system] : undefined;
  const code = known ?? 'INTERNAL';
  const text = error instanceof Error ? error.message : String(error);
  return new StorageError(code, `${doing} failed: ${text}`, { cause: error });
}

/** For our own bugs only: a violated invariant is not something that a user can mend. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`bug: ${message}`);
}
