import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { ERRORS as TUS_ERRORS, Server } from '@tus/server';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ERRORS, isErrorCode, StorageError, wrapError, type ErrorCode } from '../../errors.js';
import { draftIdOf } from '../../file/draft/draft.js';
import type { Engine } from '../../file/engine.js';
import { UPLOAD_DRAIN_MS } from '../../limits.js';
import type { ProblemReply } from './api.js';
import { DraftLocker } from './draft-locker.js';
import { DraftStore } from './draft-store.js';
import { uploadReply } from './replies.js';
import { endOf, type Routes, type SenderParts } from './routes.js';

/** Of a request and of a reply, as far as tus goes; what a process that passes them on has to keep. */
export const TUS_REQUEST_HEADERS = [
  'content-type',
  'content-length',
  'tus-resumable',
  'upload-length',
  'upload-offset',
  'upload-metadata',
  'upload-defer-length',
  'upload-concat',
] as const;
export const TUS_REPLY_HEADERS = [
  'location',
  'cache-control',
  'tus-resumable',
  'tus-version',
  'tus-extension',
  'upload-length',
  'upload-offset',
  'upload-metadata',
  'upload-expires',
  'x-shoal-version',
] as const;

/** Files that come in parts: tus 1.0, and a list of them (UploadReply in api.ts). */
export function draftRoutes(server: FastifyInstance, routes: Routes, { engine }: SenderParts): void {
  const parts: Parts = { engine, routes, locker: new DraftLocker() };
  server.get('/v1/uploads', async (request) => {
    const drafts = await engine.drafts.list(routes.sessionOf(request));
    return drafts.map(uploadReply);
  });
  void server.register(async (scope) => {
    scope.addContentTypeParser('application/offset+octet-stream', (_request, payload, done) => {
      done(null, payload);
    });
    const handler = (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
      answer(parts, request, reply);
    scope.route({ method: ['POST'], url: '/v1/uploads', handler });
    scope.route({ method: ['HEAD', 'PATCH', 'DELETE'], url: '/v1/uploads/:id', handler, errorHandler: patientErrors });
    scope.options('/v1/uploads', (_request, reply) => reply.code(204).headers(OFFER).send());
  });
}

/**
 * To tus-js-client any failure of a HEAD but this one means that the upload is gone, and it begins anew. So whatever may pass
 * is said by this status, which is tus's own for an upload that somebody else adds to.
 */
const AGAIN_LATER = 423;

/** Of the routes of one upload, also where they are passed on. */
export function patientErrors(error: unknown, { method }: FastifyRequest, reply: FastifyReply): void {
  if (method !== 'HEAD' || !StorageError.is(error) || !error.retryable) throw error;
  void reply.code(AGAIN_LATER).send();
}

const OFFER = {
  'tus-resumable': '1.0.0',
  'tus-version': '1.0.0',
  'tus-extension': 'creation,creation-with-upload,termination,expiration',
} as const;

interface Parts {
  readonly engine: Engine;
  readonly routes: Routes;
  readonly locker: DraftLocker;
}

async function answer(parts: Parts, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { engine, routes } = parts;
  const session = routes.sessionOf(request);
  const store = new DraftStore(engine, session, endOf(routes, reply, session));
  void routes.track(once(reply.raw, 'close'));
  const response = await routes.track(tusServer(parts, store).handleWeb(webRequest(request)));
  const text = await response.text();
  if (response.status >= 400) return sendProblem(request, reply, response.status, text);
  for (const name of TUS_REPLY_HEADERS) {
    const value = response.headers.get(name);
    if (value !== null) void reply.header(name, value);
  }
  if (request.method === 'HEAD' && response.headers.get('upload-offset') === response.headers.get('upload-length')) {
    const { id } = request.params as { readonly id: string };
    void reply.header('x-shoal-version', await routes.track(store.finish(id)));
  }
  return reply.code(response.status).send(text);
}

/** One for each request: it knows in whose name that is made. */
function tusServer({ routes, locker }: Parts, store: DraftStore): Server {
  return new Server({
    path: '/v1/uploads',
    datastore: store,
    locker,
    lockDrainTimeout: UPLOAD_DRAIN_MS,
    namingFunction: () => draftIdOf(randomBytes(16)),
    generateUrl: (_request, { id }) => `uploads/${id}`,
    getFileIdFromRequest: (_request, id) => id,
    onIncomingRequest: (request, id) => {
      if (request.method !== 'POST') store.demandOwn(id);
      return Promise.resolve();
    },
    onUploadFinish: async (_request, { id }) => ({ headers: { 'x-shoal-version': await store.finish(id) } }),
    onResponseError: (_request, error) => {
      if (error === TUS_ERRORS.ABORTED) return { status_code: ERRORS.CONFLICT.http, body: problemText(TAKEN_OVER) };
      if ('status_code' in error) return undefined;
      const { code, message } = wrapError(error, 'The upload');
      if (code === 'INTERNAL') routes.logger.error({ err: error }, 'request failed');
      return { status_code: ERRORS[code].http, body: problemText({ code, message }) };
    },
  });
}

const TAKEN_OVER: ProblemReply = {
  code: 'CONFLICT',
  message: 'Another request goes on with this upload. Ask how far it is.',
};

function problemText(problem: ProblemReply): string {
  return JSON.stringify(problem);
}

/** The tus server's own refusals are plain text. */
function sendProblem({ method }: FastifyRequest, reply: FastifyReply, status: number, text: string): FastifyReply {
  const problem = problemIn(text) ?? { code: codeOf(status), message: text.trim() };
  const isPassing = method === 'HEAD' && ERRORS[problem.code].retryable;
  return reply
    .code(isPassing ? AGAIN_LATER : status)
    .type('application/json')
    .send(problem);
}

function problemIn(text: string): ProblemReply | undefined {
  if (!text.startsWith('{')) return undefined;
  const { code, message } = JSON.parse(text) as Partial<ProblemReply>;
  return isErrorCode(code) && message !== undefined ? { code, message } : undefined;
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  404: 'NOT_FOUND',
  409: 'CONFLICT',
  410: 'NOT_FOUND',
  413: 'LIMIT_EXCEEDED',
  501: 'UNSUPPORTED',
};

function codeOf(status: number): ErrorCode {
  return CODES[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL');
}

function webRequest({ method, url, headers, body }: FastifyRequest): Request {
  const kept = new Headers();
  for (const name of TUS_REQUEST_HEADERS) {
    const value = headers[name];
    if (typeof value === 'string') kept.set(name, value);
  }
  const init = { method, headers: kept };
  const target = new URL(url, 'http://localhost');
  if (!(body instanceof Readable)) return new Request(target, init);
  return new Request(target, { ...init, body: Readable.toWeb(body) as ReadableStream, duplex: 'half' });
}
