import { z } from 'zod';
import type { GarbageEvent, GarbageReply } from '../garbage-api.js';
import { bytes, PROBLEM, time } from './file-replies.js';

const peer = { peer: z.string(), name: z.string() };

export const GARBAGE: z.ZodType<GarbageReply> = z.object({
  waiting: z
    .array(
      z.object({
        ...peer,
        chunks: bytes,
        since: time.nullable().describe('null: since an older version of Shoal ran here'),
        nextTry: time,
        tries: bytes,
        reason: z.string().nullable().describe('Why the last try failed; null when there was none'),
      }),
    )
    .describe('Deletions that peers have not acknowledged'),
  held: z.array(
    z.object({
      ...peer,
      listed: time.nullable().describe('When it told all that it holds; null: not yet'),
      chunks: bytes,
      bytes,
      failure: z.string().nullable().describe('Why it told no more the last time'),
      strayChunks: bytes.describe('Of that, what no file refers to'),
      strayBytes: bytes,
      oldChunks: bytes.describe('Of that, what was there before this peer watched: it is deleted by an order alone'),
      oldBytes: bytes,
      oldest: time.nullable().describe('Since when the first of them is known'),
    }),
  ),
  watched: time.nullable().describe('Since when this peer has known what all others hold'),
  looksLost: z.boolean().describe('So much that a catalog may have been lost: it is deleted by an order alone'),
  awaited: z.array(z.string()).describe('Members whose word is lacking before anything is deleted'),
  graceMs: bytes.describe('What no file refers to is deleted when it has been known for so long'),
});

export const GARBAGE_EVENT: z.ZodType<GarbageEvent> = z.union([
  z.object({ event: z.literal('peer'), ...peer, chunks: bytes, bytes, failure: PROBLEM.nullable() }),
  z.object({ event: z.literal('done'), chunks: bytes, bytes, awaited: z.array(z.string()) }),
  PROBLEM.and(z.object({ event: z.literal('error') })),
]);
