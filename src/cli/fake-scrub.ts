/** For tests: a scrub that has done some of everything. */
import { ScrubCount } from '../counts.js';
import type { ScrubEvent, ScrubReply } from '../gateways/http/scrub-api.js';
import { snapshot } from '../healing/scrub-report.js';

const SEGMENT_BYTES = 131_072;
const MADE = new Date(1_700_000_000_000).toISOString();

const totals: ScrubReply['totals'] = {
  ...snapshot(new ScrubCount()),
  ...{ chunks: 12, bytes: 5_000_000 },
  ...{ healedSegments: 3, healedBytes: 3 * SEGMENT_BYTES, movedBytes: 12 * SEGMENT_BYTES },
};
const words = '3 segments (384 KiB) healed, moved 1.5 MiB';

export const SCRUB_REPLY: ScrubReply = {
  phase: 'waiting',
  ...{ days: 30, bytesPerSecond: 16_000_000, oldestRead: MADE, surveyed: MADE },
  ...{ totals, words, damaged: 1 },
  damages: [{ chunk: 'cd'.repeat(32), reason: 'Only 1 other chunk.', found: MADE, tries: 2, nextTry: MADE }],
};

export const SCRUB_EVENTS: readonly ScrubEvent[] = [
  { event: 'begin', chunks: 12, bytes: 5_000_000 },
  { event: 'progress', bytes: 5_000_000 },
  { event: 'done', totals, words, damaged: 1 },
];
