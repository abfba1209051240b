import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { RepairCount } from '../../counts.js';
import type { Healing } from '../../healing/healing.js';
import type { SurveySummary } from '../../healing/repair-queue.js';
import { addRepair, noRepairs, repairInWords } from '../../healing/repair-report.js';
import type { RepairEvent, RepairsReply, SurveyReply } from './audit-api.js';
import { timeOf } from './replies.js';
import { check } from './requests.js';
import { signalOf, type Routes } from './routes.js';
import { sendLines } from './send-lines.js';

export const REPAIR_REQUESTS = { run: z.strictObject({}).optional() } as const;

/** Reasons that one reply names. */
const TOLD_REASONS = 8;

export interface RepairRoutesParts {
  readonly healing: Healing;
  readonly counts: RepairCount;
}

/** Repair of what other peers have lost, where the File Sender runs. */
export function repairRoutes(server: FastifyInstance, routes: Routes, { healing, counts }: RepairRoutesParts): void {
  const { repairer } = healing;
  server.get('/v1/repairs', async () => repairsReply({ healing, counts }));

  server.post('/v1/repairs', async (request, reply) => {
    check(REPAIR_REQUESTS.run, request.body ?? undefined);
    const signal = signalOf(routes, reply);
    return sendLines<RepairEvent>(routes, reply, async (events) => {
      // What was lost since the last look is repaired, too.
      await healing.holdings.now(signal);
      const totals = noRepairs();
      const reasons = new Set<string>();
      for await (const progress of repairer.now(signal)) {
        if (progress.kind === 'surveyed') {
          events.push({ event: 'begin', stripes: progress.queued, survey: surveyReply(progress.survey) });
          continue;
        }
        const { outcome } = progress;
        addRepair(totals, outcome);
        if (outcome.reason !== undefined && reasons.size < TOLD_REASONS) reasons.add(outcome.reason);
        events.push({ event: 'stripe', ...outcome, reason: outcome.reason ?? null });
      }
      events.push({ event: 'done', ...totals, reasons: [...reasons], words: repairInWords(totals) });
    });
  });
}

export function repairsReply({ healing: { repairer }, counts }: RepairRoutesParts): RepairsReply {
  const { survey, queuedStripes, queuedChunks, queuedBytes, secondsLeft, rebalance, running, reason } =
    repairer.state();
  return {
    bytesPerSecond: repairer.bytesPerSecond,
    survey: survey === undefined ? null : surveyReply(survey),
    queued: { stripes: queuedStripes, chunks: queuedChunks, bytes: queuedBytes },
    secondsLeft: secondsLeft ?? null,
    rebalance: { ...rebalance, secondsLeft: rebalance.secondsLeft ?? null },
    running,
    reason: reason ?? null,
    totals: totalsOf(counts),
  };
}

function totalsOf(counts: RepairCount): RepairsReply['totals'] {
  const { chunks, failedChunks, rebuiltChunks, movedBytes, rebalancedChunks, droppedChunks } = counts;
  return { chunks, failedChunks, rebuiltChunks, movedBytes, rebalancedChunks, droppedChunks };
}

function surveyReply({ atMs, ...counts }: SurveySummary): SurveyReply {
  return { ...counts, at: timeOf(atMs) };
}
