/** For tests: what a recovery of the catalog tells. */
import type { RecoveryEvent } from '../gateways/http/api.js';

const MADE = new Date(1_700_000_000_000).toISOString();

/** Two peers, one of them broken off; a file back, one not whole, one refused; a stripe that cannot be read. */
export function recoveryEvents(dryRun: boolean): RecoveryEvent[] {
  const [peer, version] = ['cd'.repeat(32), 'ef'.repeat(16)];
  const failure = { code: 'UNAVAILABLE', message: 'Peer cellar did not answer.' } as const;
  const reason = { code: 'CONFLICT', message: 'It is taken.' } as const;
  const back = { path: '/new/cat', stored: '/old/cat', version, bytes: 1234, modified: MADE, created: MADE };
  return [
    { event: 'peer', peer, name: 'attic', chunks: 12, badLabels: 0, failure: null },
    { event: 'peer', peer, name: 'cellar', chunks: 3, badLabels: 2, failure },
    { event: 'stripes', stripes: 2 },
    { event: 'stripe' },
    { event: 'unread', stripe: peer, chunks: 1, needed: 2, ...failure },
    { event: 'stripe' },
    { event: 'broken', path: '/film', version, bytes: 5, missing: 'bytes 5–9' },
    { event: 'recovered', ...back },
    { event: 'refused', path: '/full', version, ...reason },
    { event: 'done', dryRun, stripes: 2, known: 7, recovered: 1, bytes: 1234, broken: 1, unread: 1, refused: 1 },
  ];
}
