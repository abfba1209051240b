import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { StorageError, wrapError } from '../../errors.js';
import type { Routes } from './routes.js';
import type { Transfers } from './transfers.js';
import type { TransferReply } from './web-api.js';

/** Reads that page through a file or show it are none. */
function kindOf(request: FastifyRequest): TransferReply['kind'] | undefined {
  const route = `${request.method} ${request.routeOptions.url?.replace(/^\/api/, '') ?? ''}`;
  if (route === 'PUT /v1/content') return 'put';
  if (route === 'GET /v1/archive') return 'archive';
  const isShown = /[?&]disposition=inline(&|$)/.test(request.url);
  return route === 'GET /v1/content' && !isShown && request.headers.range === undefined ? 'get' : undefined;
}

/**
 * Watches what moves files, wherever it is done: in this process, or behind the gateway. What has moved is counted by the
 * connection, which has one request at a time, so that no byte is looked at for it.
 */
export function watchTransfers(server: FastifyInstance, routes: Pick<Routes, 'sessionOf'>, to: Transfers): void {
  const failures = new WeakMap<FastifyRequest, string>();

  server.addHook('onError', async (request, _reply, error) => {
    if (!StorageError.is(error, 'CANCELLED')) failures.set(request, wrapError(error, 'The transfer').message);
  });

  server.addHook('preValidation', async (request, reply) => {
    const kind = kindOf(request);
    if (kind === undefined) return;
    const { user, path } = { user: userOf(routes, request), path: pathOf(request) };
    if (user === undefined || path === undefined) return;
    const { socket } = request.raw;
    const before = kind === 'put' ? socket.bytesRead : socket.bytesWritten;
    const announced = kind === 'put' ? Number(request.headers['content-length'] ?? Number.NaN) : Number.NaN;
    const total = Number.isNaN(announced) ? undefined : announced;
    const counted = (): number => (kind === 'put' ? socket.bytesRead : socket.bytesWritten) - before;
    const end = to.begin({
      ...{ kind, path, user, total },
      bytes: () => Math.max(0, Math.min(counted(), total ?? Number.POSITIVE_INFINITY)),
      cancel: () => reply.raw.destroy(),
    });
    reply.raw.once('close', () => {
      end(outcomeOf(reply, failures.get(request)));
    });
  });
}

function outcomeOf(reply: FastifyReply, failure: string | undefined): Parameters<ReturnType<Transfers['begin']>>[0] {
  if (failure !== undefined) return { state: 'failed', message: failure };
  if (!reply.raw.writableFinished) return { state: 'cancelled' };
  if (reply.statusCode < 400) return { state: 'done' };
  return { state: 'failed', message: `It was refused with HTTP ${String(reply.statusCode)}.` };
}

/** Whoever is nobody is refused by the route itself. */
function userOf({ sessionOf }: Pick<Routes, 'sessionOf'>, request: FastifyRequest): string | undefined {
  try {
    return sessionOf(request).name;
  } catch {
    return undefined;
  }
}

function pathOf({ query }: FastifyRequest): string | undefined {
  const path: unknown = typeof query === 'object' && query !== null ? Reflect.get(query, 'path') : undefined;
  const first: unknown = Array.isArray(path) ? path[0] : path;
  return typeof first === 'string' ? first.slice(0, 4096) : undefined;
}
