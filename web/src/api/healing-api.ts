import { call, type Call } from './client.js';
import type { AuditsReply, RepairsReply, ScrubReply } from './types.js';

type Option = Pick<Call, 'signal'>;

/** What is healed: scrub-api.ts and audit-api.ts. */
export const healingApi = {
  scrub: (option: Option = {}) => call<ScrubReply>('GET', '/scrub', option),
  audits: (option: Option = {}) => call<AuditsReply>('GET', '/audits', option),
  repairs: (option: Option = {}) => call<RepairsReply>('GET', '/repairs', option),
};
