import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { keepHouse } from '../../file/keep-house.js';
import { parsePeerId } from '../../chunk/ids.js';
import { MAX_SESSIONS, MAX_WORST_FILES } from '../../limits.js';
import { check } from './requests.js';
import { signalOf, type ReceiverParts, type Routes, type SenderParts } from './routes.js';
import { safetyReply } from './safety-reply.js';
import { SESSION } from './session-header.js';

const HOUSEKEEPING = z.strictObject({ sessions: z.array(SESSION).max(MAX_SESSIONS) });
const SAFETY = z.strictObject({
  session: SESSION,
  up: z.array(z.string().transform(parsePeerId)),
  files: z.number().int().min(0).max(MAX_WORST_FILES),
});

/** What the gateway asks of a File Sender in another process, beside the routes that it passes on. */
export function senderRoutes(server: FastifyInstance, routes: Routes, { engine, healing }: SenderParts): void {
  server.get('/v1/outbox', async () => ({ pendingDeletes: engine.outbox.pending() }));

  // Who answers, the gateway has just asked.
  server.post('/v1/safety', async (request) => {
    const { session, up, files } = check(SAFETY, request.body);
    return healing && (await safetyReply({ healing, book: engine.book }, { session, up: new Set(up), files }));
  });

  // Who is unlocked, the gateway knows; whose work it is, is here.
  server.post('/v1/housekeeping', async (request, reply) => {
    const { sessions } = check(HOUSEKEEPING, request.body);
    const signal = signalOf(routes, reply);
    for (const session of sessions) await keepHouse(engine, session, signal);
    return reply.code(204).send();
  });
}

/** What the gateway asks of a File Receiver in another process, beside the routes that it passes on. */
export function receiverRoutes(server: FastifyInstance, { store }: ReceiverParts): void {
  server.get('/v1/storage', async () => store.usage());
}
