import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { StorageError } from '../../errors.js';
import type { Live } from './live.js';
import { check } from './requests.js';
import type { Routes } from './routes.js';
import type { Transfers } from './transfers.js';
import type { TransferReply } from './web-api.js';

export interface LiveParts {
  readonly live: Live;
  readonly transfers: Transfers;
}

const ID = z.strictObject({ id: z.string().min(1).max(64) });

/** What happens just now. */
export function liveRoutes(server: FastifyInstance, routes: Routes, { live, transfers }: LiveParts): void {
  server.get('/v1/events', async (request, reply) => {
    const stream = live.open(routes.sessionOf(request).name, routes.callerOf(request));
    // Proxies must not save them up.
    void reply.headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    return reply.type('text/event-stream').send(stream.body);
  });

  server.get('/v1/transfers', async (request): Promise<TransferReply[]> =>
    transfers.list(routes.sessionOf(request).name),
  );

  server.delete('/v1/transfers', async (request, reply) => {
    const { id } = check(ID, request.query);
    if (!transfers.cancel(routes.sessionOf(request).name, id)) {
      throw new StorageError('NOT_FOUND', `No transfer ${id} is running.`);
    }
    return reply.code(204).send();
  });
}
