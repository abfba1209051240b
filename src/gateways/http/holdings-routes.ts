import { once } from 'node:events';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { EventLines } from './event-lines.js';
import { check } from './requests.js';
import { signalOf, type Routes } from './routes.js';
import type { HoldingsEvent } from './safety-api.js';
import { holdingsReply, type SafetyParts } from './safety-reply.js';

export const HOLDINGS_REQUESTS = { run: z.strictObject({}).optional() } as const;

/** What peers say that they hold, where the File Sender runs. */
export function holdingsRoutes(server: FastifyInstance, routes: Routes, parts: SafetyParts): void {
  server.get('/v1/holdings', async () => holdingsReply(parts));

  server.post('/v1/holdings', async (request, reply) => {
    check(HOLDINGS_REQUESTS.run, request.body ?? undefined);
    const signal = signalOf(routes, reply);
    const events = new EventLines<HoldingsEvent>();
    void routes.track(once(reply.raw, 'close'));
    void routes.track(
      events.run(async () => {
        await parts.healing.holdings.now(signal);
        events.push({ event: 'done', ...holdingsReply(parts) });
      }),
    );
    return reply.type('application/x-ndjson').send(events.stream);
  });
}
