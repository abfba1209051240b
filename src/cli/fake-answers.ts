/** For tests: what a fake peer answers, whatever it is sent. */
import { COMPACTION_EVENTS, COMPACTION_REPLY } from './fake-compaction.js';
import { GARBAGE_EVENTS, GARBAGE_REPLY } from './fake-garbage.js';

/** By method and path. */
export const ANSWERS: Readonly<Record<string, object>> = {
  'GET /v1/garbage': GARBAGE_REPLY,
  'GET /v1/compaction': COMPACTION_REPLY,
};

/** Lines. */
export const ANSWERED_LINES: Readonly<Record<string, readonly object[]>> = {
  'POST /v1/garbage': GARBAGE_EVENTS,
  'POST /v1/compaction': COMPACTION_EVENTS,
};
