/** For tests: a peer with sparse stripes. */
import type { CompactionEvent, CompactionReply } from '../gateways/http/compaction-api.js';

const DAY_MS = 24 * 60 * 60 * 1000;

export const COMPACTION_REPLY: CompactionReply = {
  looked: new Date(1_700_000_000_000).toISOString(),
  ...{ stripes: 3, liveBytes: 2_000_000, deadBytes: 9_000_000, waiting: 2, graceMs: DAY_MS },
};

export const COMPACTION_EVENTS: readonly CompactionEvent[] = [
  { event: 'progress', stripes: 1, versions: 4, movedBytes: 1_500_000, deadBytes: 3_000_000, passedOver: 0 },
  { event: 'done', stripes: 2, versions: 9, movedBytes: 2_000_000, deadBytes: 6_000_000, passedOver: 1, waiting: 2 },
];
