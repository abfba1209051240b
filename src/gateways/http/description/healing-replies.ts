import { z } from 'zod';
import type { AuditEvent, AuditReply, AuditsReply, RepairEvent, RepairsReply, SurveyReply } from '../audit-api.js';
import { bytes, PROBLEM, time } from './file-replies.js';

const digits = z.string().regex(/^[0-9a-f]+$/);
const counts = z.object({ passed: bytes, missing: bytes, corrupt: bytes, unreachable: bytes, stalled: bytes });
const outcome = z.enum(['passed', 'missing', 'corrupt', 'unreachable', 'stalled']);
const ERROR = PROBLEM.and(z.object({ event: z.literal('error') }));

const audit = { at: time, peer: digits, name: z.string(), chunk: digits, segment: bytes, outcome };
const AUDIT: z.ZodType<AuditReply> = z.object(audit);

export const AUDITS: z.ZodType<AuditsReply> = z.object({
  perHour: bytes,
  faults: bytes.describe('Chunks that were found wrong, twice, and are not repaired yet'),
  suspects: bytes.describe('Audits that wait for their second look'),
  peers: z.array(
    z.object({
      id: digits,
      name: z.string(),
      counts,
      trusted: z.boolean(),
      streak: bytes.describe('Passed ones since the last that was not'),
      answered: time.nullable(),
      silentMs: bytes,
      gone: z.boolean().describe('Silent for the grace period: its chunks are rebuilt elsewhere'),
    }),
  ),
  trustedAfter: bytes,
  newest: z.array(AUDIT),
});

export const AUDIT_EVENT: z.ZodType<AuditEvent> = z.union([
  z.object({ event: z.literal('audit'), ...audit }),
  z.object({ event: z.literal('done'), audits: bytes, counts, distrusted: z.array(z.string()) }),
  ERROR,
]);

const SURVEY: z.ZodType<SurveyReply> = z.object({
  stripes: bytes,
  whole: bytes,
  degraded: bytes,
  atRisk: bytes.describe('One more loss and they cannot be rebuilt'),
  lost: bytes.describe('They cannot be rebuilt from what can be counted on now'),
  at: time,
});

export const REPAIRS: z.ZodType<RepairsReply> = z.object({
  bytesPerSecond: z.number(),
  survey: SURVEY.nullable(),
  queued: z.object({ stripes: bytes, chunks: bytes, bytes }),
  secondsLeft: z.number().nullable(),
  rebalance: z
    .object({ stripes: bytes, bytes, secondsLeft: z.number().nullable() })
    .describe('Chunks of whole stripes that belong to another peer by now'),
  running: bytes,
  reason: z.string().nullable(),
  totals: z.object({
    chunks: bytes,
    failedChunks: bytes,
    rebuiltChunks: bytes,
    movedBytes: bytes,
    rebalancedChunks: bytes.describe('Moved to where they belong since the members changed'),
    droppedChunks: bytes,
  }),
});

const done = { rebuilt: bytes, copied: bytes, found: bytes, left: bytes, movedBytes: bytes };

export const REPAIR_EVENT: z.ZodType<RepairEvent> = z.union([
  z.object({ event: z.literal('begin'), stripes: bytes, survey: SURVEY }),
  z.object({ event: z.literal('stripe'), stripe: digits, ...done, reason: z.string().nullable() }),
  z.object({ event: z.literal('done'), stripes: bytes, ...done, reasons: z.array(z.string()), words: z.string() }),
  ERROR,
]);
