/** For tests: a network in which one peer waits, and another holds what nobody needs. */
import type { GarbageEvent, GarbageReply } from '../gateways/http/garbage-api.js';

const MADE = new Date(1_700_000_000_000).toISOString();
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

const none = { strayChunks: 0, strayBytes: 0, oldChunks: 0, oldBytes: 0, oldest: null, failure: null };
const held = { listed: MADE, chunks: 120, bytes: 5_000_000 };

export const GARBAGE_REPLY: GarbageReply = {
  waiting: [
    ...[{ peer: 'aa'.repeat(32), name: 'attic', chunks: 3, since: MADE, nextTry: MADE, tries: 4, reason: 'Too far.' }],
  ],
  held: [
    { peer: 'aa'.repeat(32), name: 'attic', ...held, ...none, failure: 'It does not answer.' },
    { peer: 'bb'.repeat(32), name: 'barn', ...held, ...none, strayChunks: 4, strayBytes: 400_000, oldest: MADE },
    {
      ...{ peer: 'cc'.repeat(32), name: 'cellar', ...held, ...none, strayChunks: 2, strayBytes: 2_000 },
      ...{ oldChunks: 2, oldBytes: 2_000, oldest: MADE },
    },
  ],
  watched: MADE,
  looksLost: true,
  awaited: ['desk'],
  graceMs: WEEK_MS,
};

export const GARBAGE_EVENTS: readonly GarbageEvent[] = [
  {
    ...{ event: 'peer', peer: 'aa'.repeat(32), name: 'attic', chunks: 0, bytes: 0 },
    failure: { code: 'UNAVAILABLE', message: 'It does not answer.' },
  },
  { event: 'peer', peer: 'bb'.repeat(32), name: 'barn', chunks: 120, bytes: 5_000_000, failure: null },
  { event: 'done', chunks: 4, bytes: 400_000, awaited: ['desk'] },
];
