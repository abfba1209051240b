import { z } from 'zod';
import type { CompactionEvent, CompactionReply } from '../compaction-api.js';
import { bytes, PROBLEM, time } from './file-replies.js';

export const COMPACTION: z.ZodType<CompactionReply> = z.object({
  looked: time.nullable().describe('When this peer last looked for them; null: not since it began'),
  stripes: bytes.describe('Of which little is needed'),
  liveBytes: bytes.describe('Sealed bytes of them that are needed'),
  deadBytes: bytes.describe('And that are not'),
  waiting: bytes.describe('Stripes that nobody needs any more, and that are not given back yet'),
  graceMs: bytes.describe('What was moved is given back when nobody can be reading there for so long'),
});

const compacted = {
  stripes: bytes.describe('Of which nothing is needed any more'),
  versions: bytes,
  movedBytes: bytes.describe('Sealed bytes that were stored anew'),
  deadBytes: bytes.describe('And, of those stripes, that were not needed'),
  passedOver: bytes.describe('Stripes that stay as they are: in use, or not to be read now'),
};

export const COMPACTION_EVENT: z.ZodType<CompactionEvent> = z.union([
  z.object({ event: z.literal('progress'), ...compacted }),
  z.object({ event: z.literal('done'), ...compacted, waiting: bytes }),
  PROBLEM.and(z.object({ event: z.literal('error') })),
]);
