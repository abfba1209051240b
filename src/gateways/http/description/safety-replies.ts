import { z } from 'zod';
import type { HoldingsEvent, HoldingsReply, SafetyReply } from '../safety-api.js';
import { bytes, PROBLEM, time } from './file-replies.js';

const digits = z.string().regex(/^[0-9a-f]+$/);
const amount = z.object({ files: bytes, bytes });

export const SAFETY: z.ZodType<SafetyReply> = z.object({
  stripes: bytes,
  degraded: bytes.describe('Stripes that lack a chunk, for now or for good'),
  mayFail: z.number().int().nullable().describe('So many more peers may fail without loss, whichever they are'),
  lost: bytes.describe('Stripes whose record is not to be had here'),
  files: z.object({
    healthy: amount,
    degraded: amount.describe('Something is missing, and any machine may fail'),
    atRisk: amount.describe('There is a machine that may not fail now'),
    lost: amount.describe('They cannot be read now'),
    waiting: amount.describe('Of all of them: a chunk is to be rebuilt'),
  }),
  worst: z.array(z.object({ path: z.string(), bytes, state: z.enum(['atRisk', 'lost']) })),
  zonesMayFail: z.number().int().nullable().describe('So many whole zones may fail, whichever they are'),
  machines: z.array(
    z.object({
      id: digits,
      name: z.string(),
      zone: z.string(),
      standing: z.enum(['up', 'down', 'gone', 'distrusted']),
      mayFail: z.boolean().nullable().describe('null for one that has failed already, or is distrusted'),
      denied: bytes.describe('Chunks that it should have, and says it does not have, or has damaged'),
    }),
  ),
  zones: z.array(z.object({ zone: z.string(), machines: bytes, up: bytes, mayFail: z.boolean() })),
  repairs: z.object({ stripes: bytes, chunks: bytes, bytes, secondsLeft: z.number().nullable() }),
  compared: time.nullable().describe('What all peers that answer say they hold was compared then, or later'),
  at: time,
});

const holdings = {
  running: z.boolean(),
  compared: time.nullable(),
  denied: bytes,
  peers: z.array(z.object({ id: digits, name: z.string(), compared: time.nullable(), denied: bytes })),
};

export const HOLDINGS: z.ZodType<HoldingsReply> = z.object(holdings);

export const HOLDINGS_EVENT: z.ZodType<HoldingsEvent> = z.union([
  z.object({ event: z.literal('done'), ...holdings }),
  PROBLEM.and(z.object({ event: z.literal('error') })),
]);
