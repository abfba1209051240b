import type { SafetyReply } from './safety-api.js';

const NOTHING = { files: 0, bytes: 0 };

/** For tests: one healthy file in one stripe. */
export function sampleSafety(but: Partial<SafetyReply> = {}): SafetyReply {
  return {
    ...{ stripes: 1, degraded: 0, mayFail: 1, lost: 0, zonesMayFail: 1 },
    files: {
      healthy: { files: 1, bytes: 1_000 },
      ...{ degraded: NOTHING, atRisk: NOTHING, lost: NOTHING, waiting: NOTHING },
    },
    ...{ worst: [], machines: [], zones: [] },
    repairs: { stripes: 0, chunks: 0, bytes: 0, secondsLeft: 0 },
    compared: '2026-11-01T10:00:00.000Z',
    at: '2026-11-01T12:00:00.000Z',
    ...but,
  };
}
