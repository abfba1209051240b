import { call, type Call } from './client.js';
import type { AuditsReply, CompactionReply, GarbageReply, RepairsReply, ScrubReply } from './types.js';

type Option = Pick<Call, 'signal'>;

/** What is healed, and what takes space for nothing: scrub-api.ts, audit-api.ts, garbage-api.ts and compaction-api.ts. */
export const healingApi = {
  scrub: (option: Option = {}) => call<ScrubReply>('GET', '/scrub', option),
  audits: (option: Option = {}) => call<AuditsReply>('GET', '/audits', option),
  repairs: (option: Option = {}) => call<RepairsReply>('GET', '/repairs', option),
  garbage: (option: Option = {}) => call<GarbageReply>('GET', '/garbage', option),
  compaction: (option: Option = {}) => call<CompactionReply>('GET', '/compaction', option),
};
