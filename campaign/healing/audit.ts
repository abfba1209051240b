import type { ControlClient } from '../../src/cli/control-client.js';

/** So many audits of other peers, one after the other. @returns names of those that are distrusted afterwards */
export async function auditNow(client: ControlClient, audits: number): Promise<readonly string[]> {
  for await (const outcome of client.auditNow(audits)) if (outcome.event === 'done') return outcome.distrusted;
  return [];
}
