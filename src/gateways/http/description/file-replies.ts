import { z } from 'zod';
import { ERRORS } from '../../../errors.js';
import type {
  DeletedReply,
  EntryReply,
  ProblemReply,
  PutReply,
  RecoveryEvent,
  RemoveReply,
  UploadReply,
  VersionReply,
  WhereReply,
} from '../api.js';

/** RFC 3339, UTC. */
export const time = z.iso.datetime();
export const bytes = z.number().int().nonnegative();
const version = z.string().regex(/^[0-9a-f]{32}$/);
const digits = z.string().regex(/^[0-9a-f]+$/);

/** What the compiler holds to the interfaces of api.ts, and a test to what is really replied. */
export const PROBLEM: z.ZodType<ProblemReply> = z.object({
  code: z.enum(Object.keys(ERRORS) as [keyof typeof ERRORS]).describe('What kind of failure: docs/errors.md'),
  message: z.string().describe('For people: what happened, and what to do next'),
});

export const ENTRY: z.ZodType<EntryReply> = z.object({
  path: z.string(),
  type: z.enum(['file', 'folder']),
  bytes,
  modified: time,
  version: version.nullable().describe('null for a folder'),
});

export const DELETED: z.ZodType<DeletedReply> = z.object({
  path: z.string().describe('Where it was'),
  type: z.enum(['file', 'folder']),
  files: bytes,
  bytes,
  deleted: time,
});

export const REMOVED: z.ZodType<RemoveReply> = z.object({
  files: bytes,
  pendingChunks: bytes.describe(
    'Chunks whose deletion is not done yet: their peers have not acknowledged it, or the record of their stripe is still there; it is tried again',
  ),
  pendingHomes: bytes.describe('Peers of the user that have not heard of a removal for ever'),
  homes: z.array(z.string()).describe('Their names'),
  peers: z
    .array(
      z.object({
        peer: z.string(),
        name: z.string(),
        chunks: bytes,
        waiting: bytes.describe('Of them, those whose deletion is not done yet'),
        removed: z.boolean().describe('It is no member any more, and will not be asked again'),
      }),
    )
    .describe('Which peers were told so far to delete chunks'),
});

export const VERSION: z.ZodType<VersionReply> = z.object({
  version,
  bytes,
  modified: time,
  created: time,
  current: z.boolean(),
});

export const WHERE: z.ZodType<WhereReply> = z.object({
  path: z.string(),
  bytes,
  k: bytes.describe('Chunks of a stripe that are needed'),
  m: bytes.describe('Chunks of a stripe that may be lost'),
  stripes: z.array(
    z.object({
      id: digits,
      chunks: z.array(
        z.object({
          index: bytes,
          id: digits,
          peer: digits.nullable().describe('null while the chunk waits for repair'),
          bytes,
        }),
      ),
    }),
  ),
});

export const PUT: z.ZodType<PutReply> = z.object({
  path: z.string(),
  version,
  bytes,
  stripes: bytes,
  missingChunks: bytes.describe('Chunks without a receipt yet; above 0 the file is stored but degraded'),
});

export const UPLOAD: z.ZodType<UploadReply> = z.object({
  id: z.string(),
  path: z.string(),
  bytes: bytes.describe('Of the whole file'),
  storedBytes: bytes.describe('That are safe'),
  created: time,
  expires: time,
  source: z.string().nullable(),
  kind: z.enum(['local', 'remote']),
  active: z.boolean(),
});

const count = { recovered: bytes, bytes, broken: bytes, unread: bytes, refused: bytes };
const problem = { code: z.enum(Object.keys(ERRORS) as [keyof typeof ERRORS]), message: z.string() };
const named = { path: z.string(), version: z.string() };

export const RECOVERY_EVENT: z.ZodType<RecoveryEvent> = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('peer'),
    ...{ peer: z.string(), name: z.string(), chunks: bytes, badLabels: bytes },
    failure: z.object(problem).nullable(),
  }),
  z.object({ event: z.literal('stripes'), stripes: bytes }),
  z.object({ event: z.literal('stripe') }),
  z.object({
    event: z.literal('recovered'),
    ...named,
    ...{ stored: z.string(), bytes, modified: time, created: time },
  }),
  z.object({ event: z.literal('broken'), ...named, bytes, missing: z.string() }),
  z.object({ event: z.literal('unread'), stripe: z.string(), chunks: bytes, needed: bytes, ...problem }),
  z.object({ event: z.literal('refused'), ...named, ...problem }),
  z.object({ event: z.literal('done'), dryRun: z.boolean(), stripes: bytes, known: bytes, ...count }),
  z.object({ event: z.literal('error'), ...problem }),
]);
