import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { check } from './requests.js';
import { signalOf, type Routes } from './routes.js';
import type { HoldingsEvent } from './safety-api.js';
import { holdingsReply, type SafetyParts } from './safety-reply.js';
import { sendLines } from './send-lines.js';

export const HOLDINGS_REQUESTS = { run: z.strictObject({}).optional() } as const;

/** What peers say that they hold, where the File Sender runs. */
export function holdingsRoutes(server: FastifyInstance, routes: Routes, parts: SafetyParts): void {
  server.get('/v1/holdings', async () => holdingsReply(parts));

  server.post('/v1/holdings', async (request, reply) => {
    check(HOLDINGS_REQUESTS.run, request.body ?? undefined);
    const signal = signalOf(routes, reply);
    return sendLines<HoldingsEvent>(routes, reply, async (events) => {
      await parts.healing.holdings.now(signal);
      events.push({ event: 'done', ...holdingsReply(parts) });
    });
  });
}
