import type { Command } from 'commander';
import { writeMetrics } from '../../gateways/http/metrics/gathering.js';
import { Invocation } from '../invocation.js';
import type { Runtime } from '../runtime.js';

const AFTER = `
What Prometheus reads, of all processes of the peer: for node_exporter's textfile collector. The control socket has it too,
as GET /v1/metrics. docs/metrics.md explains each.

Examples:
  shoal metrics
  shoal metrics > /var/lib/node_exporter/shoal.prom
`;

export function defineMetrics(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER).action(async (_options: unknown, invoked: Command) => {
    await using invocation = new Invocation(invoked, runtime);
    const families = await invocation.client.metrics();
    const text = await writeMetrics(families);
    invocation.result(families, () => text.trimEnd());
  });
}
