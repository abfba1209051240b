import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { ACTIVITY_KEPT, HISTORY_DAYS } from '../../limits.js';
import type { ActivityBook } from './activity-book.js';
import { SERIES, type HistoryBook } from './history-book.js';
import { check } from './requests.js';
import type { ActivityReply, HistoryReply } from './web-api.js';

export interface RecordParts {
  readonly history: HistoryBook;
  readonly activity: ActivityBook;
  /** Unix time. */
  readonly now: () => number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const time = z.coerce.number().pipe(z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER));

export const RECORD_REQUESTS = {
  history: z.strictObject({
    series: z
      .string()
      .max(512)
      .describe(`By commas, of: ${SERIES.map(({ name }) => name).join(', ')}`)
      .optional(),
    from: time.describe('Unix time in milliseconds; else a day ago').optional(),
    to: time.describe('Unix time in milliseconds; else now').optional(),
  }),
  activity: z.strictObject({
    limit: z.coerce.number().pipe(z.number().int().min(1).max(ACTIVITY_KEPT)).default(100),
  }),
} as const;

/** What this peer has measured, and what happened. */
export function recordRoutes(server: FastifyInstance, { history, activity, now }: RecordParts): void {
  server.get('/v1/history', async (request): Promise<HistoryReply> => {
    const { series, from, to } = check(RECORD_REQUESTS.history, request.query);
    const names = series?.split(',');
    const until = to ?? now();
    const since = Math.max(from ?? until - DAY_MS, now() - HISTORY_DAYS * DAY_MS);
    const wanted = SERIES.filter(({ name }) => names === undefined || names.includes(name));
    return {
      series: wanted.map(({ name, unit }) => ({ name, unit, points: history.points(name, since, until) })),
    };
  });

  server.get('/v1/activity', async (request): Promise<readonly ActivityReply[]> => {
    return activity.newest(check(RECORD_REQUESTS.activity, request.query).limit);
  });
}
