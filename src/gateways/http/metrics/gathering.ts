import { z } from 'zod';
import { GATHER_TIMEOUT_MS } from '../../../limits.js';
import { ifAnswered } from '../if-answered.js';
import type { ServiceClient } from '../service-client.js';
import type { Telemetry } from '../../../telemetry.js';
import { timeLimit } from '../../../time-limit.js';
import { family, type Family } from './family.js';
import { familiesOfCounts } from './of-counts.js';
import type { ProcessWatch } from './of-process.js';

export interface MetricsParts {
  /** What the process is called: its one service, or `peer` when it runs several. */
  readonly process: string;
  readonly telemetry: Telemetry;
  readonly watch: ProcessWatch;
  /** Of the gateway: the other processes of this peer. */
  readonly others?: readonly ServiceClient[];
}

const FAMILIES = z.array(
  z.object({
    name: z.string(),
    help: z.string(),
    type: z.enum(['gauge', 'counter', 'histogram']),
    values: z.array(
      z.object({
        labels: z.record(z.string(), z.string()),
        value: z.number(),
        metricName: z.string().optional(),
      }),
    ),
  }),
);

/** The metrics of this process. */
export async function ownFamilies(
  { process, telemetry, watch }: MetricsParts,
  more: readonly Family[] = [],
): Promise<Family[]> {
  const families = [...more, ...familiesOfCounts(telemetry.counts), ...(await watch.families())];
  return families.map((one) => ({
    ...one,
    // What is not a number cannot be written as JSON, and says nothing.
    values: one.values
      .filter(({ value }) => Number.isFinite(value))
      .map((sample) => ({ ...sample, labels: { ...sample.labels, process } })),
  }));
}

/** The metrics of the other processes of this peer; one that does not answer is told of, and is not the end of it. */
export async function othersFamilies({ others = [] }: MetricsParts, signal: AbortSignal): Promise<Family[]> {
  const asked = await Promise.all(others.map((client) => ask(client, signal)));
  const up = others.map(({ service }, index) => ({
    labels: { service },
    value: asked[index] === undefined ? 0 : 1,
  }));
  return [family('service_up', up), ...asked.flatMap((found) => found ?? [])];
}

async function ask(client: ServiceClient, signal: AbortSignal): Promise<Family[] | undefined> {
  using patience = timeLimit(GATHER_TIMEOUT_MS, signal);
  const asked = client.json({ method: 'GET', path: '/v1/metrics?format=json', signal: patience.signal });
  const reply = await ifAnswered(asked, signal);
  return reply === undefined ? undefined : FAMILIES.parse(reply);
}

/** Everything as Prometheus reads it; metrics of one name from several processes become one. */
export async function writeMetrics(families: readonly Family[]): Promise<string> {
  const { AggregatorRegistry } = await import('prom-client');
  // Samples of different processes have different labels, so that nothing is added up.
  const named = families
    .filter(({ values }) => values.length > 0)
    .map((one) => ({ ...one, aggregator: 'sum' as const }));
  return AggregatorRegistry.aggregate([named]).metrics();
}
