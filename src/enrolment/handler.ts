import type { IncomingMessage, ServerResponse } from 'node:http';
import type { z } from 'zod';
import { ERRORS, StorageError, wrapError } from '../errors.js';
import { ENROL_BODY_TIMEOUT_MS, MAX_CONCURRENT_ENROLMENTS, MAX_ENROL_BODY_BYTES } from '../limits.js';
import type { Logger } from '../log.js';
import type { OpenHandler } from '../wire/web-server.js';
import type { Enrolment } from './enrolment.js';
import { MESSAGES, PATHS, toBase64 } from './messages.js';
import { RequestPace } from './request-pace.js';

type Answer = (body: Uint8Array, certificate: Uint8Array | undefined) => Promise<unknown>;

export interface EnrolmentHandlerOptions {
  readonly enrolment: Enrolment;
  readonly logger: Logger;
  /** Monotonic milliseconds. */
  readonly clockMs?: () => number;
}

/**
 * `/enrol/…` over HTTP/1.1, for anyone. What a stranger can cost is bounded: the bytes of a body, the time it takes to come,
 * how many are worked on at once, how many come in a second. Nobody is locked out for a wrong secret, which nobody could
 * guess anyway: that would only let a stranger keep others from joining.
 */
export function enrolmentHandler(options: EnrolmentHandlerOptions): OpenHandler {
  const { enrolment, logger, clockMs = () => performance.now() } = options;
  const answers = answersOf(enrolment);
  const pace = new RequestPace(clockMs);
  let running = 0;

  const answer = async (request: IncomingMessage, certificate: Uint8Array | undefined): Promise<unknown> => {
    const [path = ''] = (request.url ?? '').split('?');
    const found = answers.get(`${request.method ?? ''} ${path}`);
    if (found === undefined) throw new StorageError('NOT_FOUND', 'There is nothing here.');
    // Members are known, and a renewal must not wait for strangers.
    if (certificate === undefined && !pace.take()) throw tooMany();
    // First: who sends slowly must not keep others from being worked on.
    const body = await readBody(request);
    if (running >= MAX_CONCURRENT_ENROLMENTS) throw tooMany();
    running++;
    try {
      return await found(body, certificate);
    } finally {
      running--;
    }
  };

  return (request, response, { certificate }) => {
    answer(request, certificate).then(
      (value) => send(response, 200, value),
      (error: unknown) => {
        const { code, message } = wrapError(error, 'The request');
        const isOurs = code === 'INTERNAL';
        if (isOurs) logger.error({ err: error }, 'enrolment failed');
        else logger.debug({ code, reason: message }, 'enrolment refused');
        send(response, ERRORS[code].http, { code, message: isOurs ? 'The peer failed.' : message });
      },
    );
  };
}

function tooMany(): StorageError {
  return new StorageError('UNAVAILABLE', 'Too many ask this peer to join at this moment. Try again in a minute.');
}

function answersOf(enrolment: Enrolment): ReadonlyMap<string, Answer> {
  return new Map<string, Answer>([
    [`GET ${PATHS.network}`, async () => enrolment.network()],
    [
      `POST ${PATHS.certificate}`,
      async (body) => {
        const { secret, request } = parse(MESSAGES.certify, body);
        const certified = await enrolment.certify(secret, request);
        return { ...certified, certificate: toBase64(certified.certificate) };
      },
    ],
    [
      `POST ${PATHS.renewal}`,
      async (body, shown) => ({
        certificate: toBase64(await enrolment.renew(shown, parse(MESSAGES.renew, body).request)),
      }),
    ],
    [
      `POST ${PATHS.record}`,
      async (body, shown) => {
        await enrolment.take(shown, parse(MESSAGES.record, body).record);
        return {};
      },
    ],
  ]);
}

/** @throws StorageError INVALID_ARGUMENT */
function parse<T>(schema: z.ZodType<T>, body: Uint8Array): T {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(body).toString('utf8'));
  } catch (error) {
    throw new StorageError('INVALID_ARGUMENT', 'The request is not JSON.', { cause: error });
  }
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  const [issue] = checked.error.issues;
  throw new StorageError('INVALID_ARGUMENT', `The request has a wrong "${issue?.path.join('.') ?? ''}".`);
}

/** @throws StorageError LIMIT_EXCEEDED, TIMEOUT */
async function readBody(request: IncomingMessage): Promise<Uint8Array> {
  const tooLong = new StorageError('LIMIT_EXCEEDED', `A request has at most ${String(MAX_ENROL_BODY_BYTES)} bytes.`);
  if (Number(request.headers['content-length'] ?? 0) > MAX_ENROL_BODY_BYTES) throw tooLong;
  const late = new StorageError('TIMEOUT', 'The request did not arrive in time.');
  const timer = setTimeout(() => request.destroy(late), ENROL_BODY_TIMEOUT_MS);
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    // What is left unread must not take the answer with it.
    for await (const part of request.iterator({ destroyOnReturn: false })) {
      bytes += (part as Buffer).length;
      if (bytes > MAX_ENROL_BODY_BYTES) throw tooLong;
      parts.push(part as Buffer);
    }
    return Buffer.concat(parts);
  } finally {
    clearTimeout(timer);
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent || response.destroyed) return;
  const body = `${JSON.stringify(value)}\n`;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    // What is left of a refused request is not worth reading.
    ...(status === 200 ? {} : { connection: 'close' }),
  });
  response.end(body);
}
