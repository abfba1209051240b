import type { ErrorCode } from '../../../src/errors.js';
import type { ProblemReply } from '../../../src/gateways/http/api.js';
import { STRINGS } from '../strings.js';

/** Why a request failed, in words for the person at the screen. Callers switch on `code`, never on text. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly code: ErrorCode;
  /** Of the answer; 0 when there was none. */
  readonly status: number;
  /** Seconds that the server asks to wait; null when it does not say. */
  readonly retryAfter: number | null;

  constructor({ code, message }: ProblemReply, status: number, retryAfter: number | null = null) {
    super(message);
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
  }

  static is(error: unknown, ...codes: readonly ErrorCode[]): error is Problem {
    return error instanceof Problem && (codes.length === 0 || codes.includes(error.code));
  }
}

/** The words of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The peer does not answer at all: it is not running, or this machine has no way to it. */
export function unreachable(): Problem {
  return new Problem({ code: 'UNAVAILABLE', message: STRINGS.unreachable }, 0);
}

/** What a failed answer says. A body that is not a ProblemReply comes from something in between. */
export function problemOf(status: number, body: unknown, retryAfter: string | null): Problem {
  const seconds = retryAfter !== null && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null;
  if (isProblemReply(body)) return new Problem(body, status, seconds);
  return new Problem({ code: 'INTERNAL', message: STRINGS.unknownAnswer(status) }, status, seconds);
}

function isProblemReply(body: unknown): body is ProblemReply {
  return (
    typeof body === 'object' &&
    body !== null &&
    'code' in body &&
    'message' in body &&
    typeof body.code === 'string' &&
    typeof body.message === 'string'
  );
}
