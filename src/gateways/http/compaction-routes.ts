import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Engine } from '../../file/engine.js';
import { compactNow, MOVED_GRACE_MS } from '../../file/compact/tidy.js';
import type { CompactionEvent, CompactionReply } from './compaction-api.js';
import { timeOf } from './replies.js';
import { check } from './requests.js';
import { signalOf, type Routes, type SenderParts } from './routes.js';
import { sendLines } from './send-lines.js';

export const COMPACTION_REQUESTS = {
  compact: z.strictObject({ giveBack: z.boolean().default(false) }),
} as const;

/** Stripes of which little is needed, where the File Sender runs. */
export function compactionRoutes(server: FastifyInstance, routes: Routes, { engine }: SenderParts): void {
  server.get('/v1/compaction', async () => compactionReply(engine));

  server.post('/v1/compaction', async (request, reply) => {
    const session = routes.sessionOf(request);
    const { giveBack } = check(COMPACTION_REQUESTS.compact, request.body ?? {});
    const signal = signalOf(routes, reply, session);
    return sendLines<CompactionEvent>(routes, reply, async (events) => {
      const onProgress = (so: Omit<Extract<CompactionEvent, { event: 'progress' }>, 'event'>): void => {
        events.push({ event: 'progress', ...so });
      };
      events.push({ event: 'done', ...(await compactNow(engine, session, { signal, giveBack, onProgress })) });
    });
  });
}

function compactionReply({ compaction }: Engine): CompactionReply {
  const summaries = compaction.summaries();
  const found = summaries.flatMap((one) => one.found ?? []);
  const sum = (of: (one: (typeof found)[number]) => number): number => found.reduce((so, one) => so + of(one), 0);
  const lookedMs = Math.min(...found.map((one) => one.lookedMs));
  return {
    looked: found.length === 0 ? null : timeOf(lookedMs),
    stripes: sum(({ stripes }) => stripes),
    liveBytes: sum(({ liveBytes }) => liveBytes),
    deadBytes: sum(({ deadBytes }) => deadBytes),
    waiting: summaries.reduce((so, { waiting }) => so + waiting, 0),
    graceMs: MOVED_GRACE_MS,
  };
}
