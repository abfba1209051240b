import { z } from 'zod';
import type { HealthReply, StatusReply, SyncReply } from '../api.js';
import type { DrainReply, InvitationReply, InvitedReply, NetworkReply, PeerReply } from '../network-api.js';
import { SERIES } from '../history-book.js';
import type { ScrubEvent, ScrubReply } from '../scrub-api.js';
import type { ActivityReply, HistoryReply, PolicyReply, SettingReply } from '../web-api.js';
import { bytes, PROBLEM, time } from './file-replies.js';
import { SAFETY } from './safety-replies.js';
import { USER } from './user-replies.js';

const digits = z.string().regex(/^[0-9a-f]+$/);
const state = z.enum(['member', 'draining', 'removed']);
const place = { id: digits, name: z.string(), address: z.string(), zone: z.string() };

const MISSING = z.array(z.object({ service: z.string(), message: z.string().describe('What to do') }));

export const HEALTH: z.ZodType<HealthReply> = z.object({
  services: z.array(z.string()),
  ready: z.boolean(),
  missing: MISSING,
});

const SYNC: z.ZodType<SyncReply> = z.object({
  error: z.string().nullable(),
  streams: z.array(
    z.object({
      host: z.string(),
      hostName: z.string(),
      database: z.string(),
      direction: z.enum(['push', 'pull']),
      phase: z.enum(['connecting', 'copying', 'waiting', 'failing', 'closed']),
      sequence: z.string(),
      pending: z.number().nullable(),
      written: bytes,
      refused: bytes,
      error: z.string().nullable(),
      lastSuccessMs: z.number().nullable(),
    }),
  ),
  damaged: z.array(z.object({ name: z.string(), movedTo: z.string(), reason: z.string() })),
});

export const STATUS: z.ZodType<StatusReply> = z.object({
  sync: SYNC,
  version: z.string(),
  network: z.object({ id: digits, name: z.string(), k: bytes, m: bytes }),
  peer: z.object(place),
  peers: z.array(
    z.object({
      ...place,
      state,
      up: z.boolean(),
      capacityBytes: bytes,
      latencyMs: z.number().nullable(),
    }),
  ),
  store: z
    .object({ chunks: bytes, bytes, partialBytes: bytes, freeBytes: bytes, reserveBytes: bytes })
    .nullable()
    .describe('null when the File Receiver does not answer'),
  users: z.array(USER),
  safety: SAFETY.nullable(),
  outbox: z.object({ pendingDeletes: bytes.nullable() }),
  missing: MISSING,
  problems: z.array(
    z.object({
      document: z.string(),
      kind: z.enum(['refused', 'replayed', 'newer', 'lost']),
      reason: z.string(),
    }),
  ),
});

export const PEER: z.ZodType<PeerReply> = z.object({
  ...place,
  capacityBytes: bytes,
  state,
  backup: z.boolean().describe('It keeps the databases of all others, too'),
  authority: z.boolean(),
  up: z.boolean().nullable(),
  latencyMs: z.number().nullable(),
  until: time.describe('Of its certificate'),
});

const AMOUNT = z.object({ chunks: bytes, bytes });

export const DRAIN: z.ZodType<DrainReply> = z.object({
  peer: PEER,
  phase: z.enum(['member', 'leaving', 'left']).describe('`left`: it was put out of the network'),
  forced: z.boolean().describe('It leaves even where a chunk has no other place'),
  left: AMOUNT.nullable().describe('Chunks that lie there and nowhere else; null: not counted yet'),
  totalBytes: bytes.describe('The most that was left'),
  secondsLeft: z.number().nullable().describe('At the speed until now; null while there is none'),
  staying: AMOUNT.describe('Of these, such as no other peer can take'),
  reason: z.string().nullable().describe('What it waits for; null when it goes on by itself'),
});

export const NETWORK: z.ZodType<NetworkReply> = z.object({
  id: digits,
  name: z.string(),
  fingerprint: z.string(),
  authorityUntil: time,
  tolerate: z.number().int().nullable(),
  k: bytes,
  m: bytes,
  members: bytes,
  removed: bytes,
  authorities: z.array(z.string()),
  backupHosts: z.array(z.string()),
  peer: PEER,
});

const invitation = {
  id: z.string(),
  note: z.string(),
  authority: z.boolean(),
  created: time,
  expires: time,
  state: z.enum(['open', 'used', 'expired']),
  peer: z.string().nullable(),
};

export const INVITATION: z.ZodType<InvitationReply> = z.object(invitation);
export const INVITED: z.ZodType<InvitedReply> = z.object({
  ...invitation,
  token: z.string().describe('Is shown once'),
});

export const SETTING: z.ZodType<SettingReply> = z.object({
  name: z.string(),
  value: z.unknown(),
  about: z.string(),
  source: z.enum(['default', 'file', 'environment']),
  restart: z.boolean().describe('The file says something else than what is in force: it counts after a restart'),
  changeable: z.boolean(),
});

export const POLICY: z.ZodType<PolicyReply> = z.object({
  tolerate: z.number().int().nullable(),
  k: bytes,
  m: bytes,
  mostTolerated: bytes,
  changeable: z.boolean(),
});

export const HISTORY: z.ZodType<HistoryReply> = z.object({
  series: z.array(
    z.object({
      name: z.string(),
      unit: z.enum([...new Set(SERIES.map(({ unit }) => unit))]),
      points: z.array(z.tuple([z.number(), z.number()])).describe('Unix time in milliseconds, value'),
    }),
  ),
});

const TOTALS: z.ZodType<ScrubReply['totals']> = z.object({
  chunks: bytes.describe('Read whole'),
  bytes,
  healedSegments: bytes,
  healedBytes: bytes,
  movedBytes: bytes.describe('Sent by other peers for it'),
  healedChunks: bytes.describe('Chunks of which anything was mended'),
  adoptedChunks: bytes.describe('Files whose row was lost, taken up again'),
  mendedRows: bytes.describe('Labels and hash lists found again'),
  removedFiles: bytes.describe('Files that belonged to nothing'),
  failures: bytes.describe('Times that a chunk could not be mended'),
});

export const SCRUB: z.ZodType<ScrubReply> = z.object({
  phase: z.enum(['off', 'waiting', 'reading', 'asked']),
  days: bytes,
  bytesPerSecond: bytes,
  oldestRead: time.nullable(),
  surveyed: time.nullable(),
  totals: TOTALS.describe('Since the process began'),
  words: z.string(),
  damaged: bytes.describe('Chunks that could not be mended yet'),
  damages: z.array(z.object({ chunk: digits, reason: z.string(), found: time, tries: bytes, nextTry: time })),
});

export const SCRUB_EVENT: z.ZodType<ScrubEvent> = z.union([
  z.object({ event: z.literal('begin'), chunks: bytes, bytes }),
  z.object({ event: z.literal('progress'), bytes }),
  z.object({ event: z.literal('done'), totals: TOTALS, words: z.string(), damaged: bytes }),
  PROBLEM.and(z.object({ event: z.literal('error') })),
]);

export const ACTIVITY: z.ZodType<ActivityReply> = z.object({
  at: time,
  kind: z.enum([
    ...[
      'peer-joined',
      'peer-removed',
      'peer-gone',
      'peer-back',
      'peer-distrusted',
      'peer-trusted',
      'user-unlocked',
      'user-locked',
    ],
    ...['keys-rotated', 'transfer-failed', 'signed-in', 'refused', 'repaired', 'healed'],
    ...['files-safe', 'files-degraded', 'files-at-risk', 'files-lost'],
  ] as ActivityReply['kind'][]),
  text: z.string(),
});
