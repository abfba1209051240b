import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { PeerId } from '../../chunk/ids.js';
import type { Engine } from '../../file/engine.js';
import { collectGarbageNow } from '../../file/garbage/garbage.js';
import { looksLost } from '../../file/garbage/sweep.js';
import { GARBAGE_AGE_MS } from '../../limits.js';
import type { PeerBook } from '../../peers/peer-book.js';
import type { WaitingDeletes } from '../../store/outbox.js';
import type { Inventory, StrayTotals } from '../../store/stray-book.js';
import type { GarbageEvent, GarbageReply, HeldReply, WaitingReply } from './garbage-api.js';
import { timeOf, timeOrNull } from './replies.js';
import { check } from './requests.js';
import { signalOf, type Routes, type SenderParts } from './routes.js';
import { sendLines } from './send-lines.js';

export const GARBAGE_REQUESTS = {
  collect: z.strictObject({ old: z.boolean().default(false) }),
} as const;

/** What lies at peers for nothing, and what they are still to delete, where the File Sender runs. */
export function garbageRoutes(server: FastifyInstance, routes: Routes, { engine }: SenderParts): void {
  server.get('/v1/garbage', async () => garbageReply(engine));

  server.post('/v1/garbage', async (request, reply) => {
    const session = routes.sessionOf(request);
    const { old } = check(GARBAGE_REQUESTS.collect, request.body ?? {});
    const signal = signalOf(routes, reply, session);
    return sendLines<GarbageEvent>(routes, reply, async (events) => {
      const { chunks, bytes, awaited } = await collectGarbageNow(engine, session, {
        ...{ signal, old },
        onPeer: ({ failure, ...told }) => {
          const problem = failure === undefined ? null : { code: failure.code, message: failure.message };
          events.push({ event: 'peer', ...told, failure: problem });
        },
      });
      events.push({ event: 'done', chunks, bytes, awaited: awaited.map((peer) => engine.book.nameOf(peer)) });
    });
  });
}

function garbageReply({ outbox, strays, book }: Engine): GarbageReply {
  const told = byPeer(strays.inventories());
  const totals = new Map(strays.totals().map((total) => [total.peer, total]));
  const isMember = ({ peer }: Inventory): boolean =>
    book.get(peer) !== undefined && book.get(peer)?.state !== 'removed';
  const watches = strays.watches();
  const sinceMs = watches.map((watch) => watch.sinceMs);
  return {
    waiting: outbox.waiting().map((waiting) => waitingReply(waiting, book)),
    held: [...told.values()].filter(isMember).map((of) => heldReply(of, totals.get(of.peer), book)),
    watched: timeOrNull(sinceMs.includes(0) ? 0 : Math.max(0, ...sinceMs)),
    looksLost: watches.some(({ owner }) => looksLost({ strays }, { user: owner })),
    awaited: [...new Set(watches.flatMap(({ awaited }) => awaited))].map((peer) => book.nameOf(peer)),
    graceMs: GARBAGE_AGE_MS,
  };
}

function waitingReply(
  { peer, chunks, sinceMs, nextTryMs, tries, reason }: WaitingDeletes,
  book: PeerBook,
): WaitingReply {
  const nextTry = timeOf(nextTryMs);
  const why = reason === '' ? null : reason;
  return { peer, name: book.nameOf(peer), chunks, since: timeOrNull(sinceMs), nextTry, tries, reason: why };
}

/** What a peer holds of all users. */
function byPeer(inventories: readonly Inventory[]): ReadonlyMap<PeerId, Inventory> {
  const peers = new Map<PeerId, Inventory>();
  for (const told of inventories) {
    const other = peers.get(told.peer);
    if (other === undefined) peers.set(told.peer, told);
    else {
      const listedMs = Math.min(other.listedMs, told.listedMs);
      const [chunks, bytes] = [other.chunks + told.chunks, other.bytes + told.bytes];
      peers.set(told.peer, { ...other, listedMs, chunks, bytes, failure: other.failure || told.failure });
    }
  }
  return peers;
}

function heldReply(
  { peer, listedMs, chunks, bytes, failure }: Inventory,
  stray: StrayTotals | undefined,
  book: PeerBook,
): HeldReply {
  const listed = { listed: timeOrNull(listedMs), chunks, bytes, failure: failure === '' ? null : failure };
  return {
    ...{ peer, name: book.nameOf(peer), ...listed },
    strayChunks: stray?.chunks ?? 0,
    strayBytes: stray?.bytes ?? 0,
    oldChunks: stray?.oldChunks ?? 0,
    oldBytes: stray?.oldBytes ?? 0,
    oldest: timeOrNull(stray?.oldestMs),
  };
}
