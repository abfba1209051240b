import type { Command } from 'commander';
import { metricsText } from '../../gateways/http/metrics.js';
import { Invocation } from '../invocation.js';
import type { Runtime } from '../runtime.js';

const AFTER = `
For node_exporter's textfile collector, or straight from the control socket: GET /v1/metrics.

Examples:
  shoal metrics
  shoal metrics > /var/lib/node_exporter/shoal.prom
`;

export function defineMetrics(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER).action(async (_options: unknown, invoked: Command) => {
    await using invocation = new Invocation(invoked, runtime);
    const status = await invocation.client.status();
    invocation.result(status, () => metricsText(status).trimEnd());
  });
}
