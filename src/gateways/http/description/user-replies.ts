import { z } from 'zod';
import { ERRORS } from '../../../errors.js';
import type {
  ChangeReply,
  KitReply,
  PassphraseReply,
  RotationEvent,
  RotationReply,
  SshKeyReply,
  UserReply,
} from '../user-api.js';
import type { SessionReply, TokenReply, TransferReply, WebSessionReply } from '../web-api.js';
import { bytes, time } from './file-replies.js';

export const USER: z.ZodType<UserReply> = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string(),
  unlocked: z.boolean(),
  generation: z.number().int().positive().describe('Of the keys'),
  kit: z.boolean().describe('There is a recovery kit'),
});

const change = z.object({
  user: USER,
  pendingHosts: z.array(z.string()).describe('Backup hosts that have not taken the change yet'),
}) satisfies z.ZodType<ChangeReply>;

const tokens = z.number().int().nonnegative().describe('Of programs, that are still good at this peer');
export const PASSPHRASE: z.ZodType<PassphraseReply> = change.extend({ tokens });

export const KIT: z.ZodType<KitReply> = change.extend({
  words: z.array(z.string()).describe('Are shown once'),
  network: z.string(),
  created: time,
});

const rotation = { generation: z.number(), state: z.enum(['none', 'running']), done: bytes, total: bytes };
export const ROTATION: z.ZodType<RotationReply> = z.object(rotation);
export const ROTATION_EVENT: z.ZodType<RotationEvent> = z.discriminatedUnion('event', [
  z.object({ event: z.literal('replaced'), tokens }),
  z.object({ event: z.literal('rotation'), ...rotation }),
  z.object({ event: z.literal('done'), ...rotation }),
  z.object({
    event: z.literal('error'),
    code: z.enum(Object.keys(ERRORS) as [keyof typeof ERRORS]),
    message: z.string(),
  }),
]);

export const SSH_KEY: z.ZodType<SshKeyReply> = z.object({
  fingerprint: z.string(),
  algorithm: z.string(),
  name: z.string(),
  added: time,
});

export const SESSION_REPLY: z.ZodType<SessionReply> = z.object({
  user: USER.nullable(),
  csrf: z.string().nullable().describe('For the header x-shoal-csrf'),
  setup: z.boolean().describe('There is no peer in this home yet'),
  version: z.string(),
  expires: time.nullable(),
});

export const WEB_SESSION: z.ZodType<WebSessionReply> = z.object({
  id: z.string(),
  kind: z.enum(['browser', 'token']),
  name: z.string(),
  user: z.string(),
  scope: z.enum(['all', 'read', 'metrics']),
  created: time,
  lastUsed: time,
  expires: time,
  current: z.boolean().describe('The one of this request'),
});

export const TOKEN_REPLY: z.ZodType<TokenReply> = z.object({
  id: z.string(),
  token: z.string().describe('Is shown once'),
  expires: time,
});

export const TRANSFER: z.ZodType<TransferReply> = z.object({
  id: z.string(),
  kind: z.enum(['put', 'get', 'archive']),
  path: z.string(),
  bytes,
  total: bytes.nullable(),
  started: time,
  state: z.enum(['running', 'done', 'failed', 'cancelled']),
  message: z.string().nullable(),
});
