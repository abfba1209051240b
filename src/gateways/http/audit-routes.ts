import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { AuditResult } from '../../healing/audit-book.js';
import type { Healing } from '../../healing/healing.js';
import { MAX_AUDITS_AT_ONCE, TRUST_AFTER_PASSES } from '../../limits.js';
import type { PeerBook } from '../../peers/peer-book.js';
import type { AuditCounts, AuditEvent, AuditReply, AuditsReply } from './audit-api.js';
import { timeOf, timeOrNull } from './replies.js';
import { check } from './requests.js';
import { signalOf, type Routes } from './routes.js';
import { sendLines } from './send-lines.js';

/** The last audits that one reply tells of. */
const TOLD_AUDITS = 20;

export const AUDIT_REQUESTS = {
  run: z.strictObject({ audits: z.number().int().min(1).max(MAX_AUDITS_AT_ONCE).default(20) }),
} as const;

export interface AuditRoutesParts {
  readonly healing: Healing;
  readonly book: PeerBook;
}

/** Audits of other peers, where the File Sender runs. */
export function auditRoutes(server: FastifyInstance, routes: Routes, parts: AuditRoutesParts): void {
  const { healing, book } = parts;
  server.get('/v1/audits', async () => auditsReply(parts));

  server.post('/v1/audits', async (request, reply) => {
    const { audits } = check(AUDIT_REQUESTS.run, request.body ?? {});
    const signal = signalOf(routes, reply);
    return sendLines<AuditEvent>(routes, reply, async (events) => {
      const counts = { passed: 0, missing: 0, corrupt: 0, unreachable: 0, stalled: 0 };
      let done = 0;
      for await (const result of healing.auditor.now(audits, signal)) {
        done++;
        counts[result.outcome]++;
        events.push({ event: 'audit', ...auditReply(result, book) });
      }
      const distrusted = [...healing.audits.distrusted()].map((peer) => book.nameOf(peer));
      events.push({ event: 'done', audits: done, counts, distrusted });
    });
  });
}

export function auditsReply({ healing, book }: AuditRoutesParts): AuditsReply {
  const { auditor, audits, liveness } = healing;
  const peers = book.list().filter(({ id, state }) => state !== 'removed' && id !== healing.self);
  return {
    perHour: auditor.perHour,
    faults: audits.faults().length,
    suspects: auditor.suspects,
    peers: peers.map(({ id, name }) => {
      const { passed, missing, corrupt, unreachable, stalled, streak } = audits.of(id);
      const counts: AuditCounts = { passed, missing, corrupt, unreachable, stalled };
      const { answeredMs, silentMs } = liveness.answers(id);
      const answered = timeOrNull(answeredMs);
      return { id, name, counts, trusted: book.isTrusted(id), streak, answered, silentMs, gone: liveness.isGone(id) };
    }),
    trustedAfter: TRUST_AFTER_PASSES,
    newest: audits.newest(TOLD_AUDITS).map((result) => auditReply(result, book)),
  };
}

function auditReply({ atMs, peer, chunk, segment, outcome }: AuditResult, book: PeerBook): AuditReply {
  return { at: timeOf(atMs), peer, name: book.nameOf(peer), chunk, segment, outcome };
}
