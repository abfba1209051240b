import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Scrub } from '../../healing/scrub.js';
import { healedInWords } from '../../healing/scrub-report.js';
import { timeOf, timeOrNull } from './replies.js';
import { check } from './requests.js';
import { signalOf, type Routes } from './routes.js';
import type { ScrubEvent, ScrubReply } from './scrub-api.js';
import { sendLines } from './send-lines.js';

export const SCRUB_REQUESTS = { run: z.strictObject({}).optional() } as const;

/** Scrubs of this peer's chunks, where its File Receiver runs. */
export function scrubRoutes(server: FastifyInstance, routes: Routes, { scrub }: { readonly scrub: Scrub }): void {
  server.get('/v1/scrub', async () => scrubReply(scrub));

  server.post('/v1/scrub', async (request, reply) => {
    check(SCRUB_REQUESTS.run, request.body ?? undefined);
    const signal = signalOf(routes, reply);
    return sendLines<ScrubEvent>(routes, reply, async (events) => {
      const totals = await scrub.run({
        signal,
        onBegin: ({ chunks, bytes }) => {
          events.push({ event: 'begin', chunks, bytes });
        },
        onRead: ({ bytes }) => {
          events.progress(bytes);
        },
      });
      events.push({ event: 'done', totals, words: healedInWords(totals), damaged: scrub.state().damaged });
    });
  });
}

export function scrubReply(scrub: Scrub): ScrubReply {
  const { phase, days, bytesPerSecond, oldestReadMs, surveyedMs, totals, damaged, damages } = scrub.state();
  return {
    phase,
    days,
    bytesPerSecond,
    oldestRead: timeOrNull(oldestReadMs),
    surveyed: timeOrNull(surveyedMs),
    totals,
    words: healedInWords(totals),
    damaged,
    damages: damages.map(({ id, reason, foundMs, tries, nextTryMs }) => ({
      chunk: id,
      reason,
      found: timeOf(foundMs),
      tries,
      nextTry: timeOf(nextTryMs),
    })),
  };
}
