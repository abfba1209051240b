import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { check } from '../requests.js';
import { signalOf, type Routes } from '../routes.js';
import type { Family } from './family.js';
import { othersFamilies, ownFamilies, writeMetrics, type MetricsParts } from './gathering.js';

/** prometheus.io, "Exposition formats". */
export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

const QUERY = z.object({ format: z.enum(['text', 'json']).default('text') });

/** What only a gateway can tell. */
export type GatewayFamilies = (signal: AbortSignal) => Promise<readonly Family[]>;

/** `GET /v1/metrics`: of this process; of a gateway, of all processes of the peer. */
export function metricsRoutes(
  server: FastifyInstance,
  routes: Routes,
  { metrics, ofGateway }: { readonly metrics: MetricsParts; readonly ofGateway?: GatewayFamilies | undefined },
): void {
  server.get('/v1/metrics', async (request, reply) => {
    const { format } = check(QUERY, request.query);
    const families = await gather(metrics, ofGateway, signalOf(routes, reply));
    if (format === 'json') return families;
    void reply.type(METRICS_TYPE);
    return writeMetrics(families);
  });
}

/** Everything that there is to know. */
export async function gather(
  metrics: MetricsParts,
  ofGateway: GatewayFamilies | undefined,
  signal: AbortSignal,
): Promise<readonly Family[]> {
  const [own, others] = await Promise.all([ofGateway?.(signal), othersFamilies(metrics, signal)]);
  return [...(await ownFamilies(metrics, own)), ...others];
}
