import type { FastifyInstance } from 'fastify';
import type { Service } from '../../services/service-names.js';
import type { HealthReply } from './api.js';
import { signalOf, type MissingService, type Routes } from './routes.js';

/** What a process says of itself. */
export interface HealthSource {
  /** What it runs. */
  readonly services: readonly Service[];
  /** Services in other processes that those ask something of, and that do not answer. */
  readonly missing: (signal: AbortSignal) => Promise<readonly MissingService[]>;
}

/** Whether the process answers at all, and whether it can do its work. */
export function healthRoutes(server: FastifyInstance, routes: Routes, { services, missing }: HealthSource): void {
  server.get('/v1/live', async (_request, reply) => reply.code(204).send());

  server.get('/v1/health', async (_request, reply): Promise<HealthReply> => {
    const found = await missing(signalOf(routes, reply));
    return { services, ready: found.length === 0, missing: found };
  });
}
