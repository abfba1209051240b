import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import { EventLines, type Line } from './event-lines.js';
import type { Routes } from './routes.js';

/**
 * Answers with lines of events that tell of work while it is done. A failure of it is the last line; the server waits a
 * moment for the work, and for how it ended to be taken.
 */
export function sendLines<Event extends Line>(
  { track }: Pick<Routes, 'track'>,
  reply: FastifyReply,
  work: (events: EventLines<Event>) => Promise<void>,
): FastifyReply {
  const events = new EventLines<Event>();
  // Otherwise nobody is left who could take it.
  if (!reply.raw.closed) void track(once(reply.raw, 'close'));
  void track(events.run(() => work(events)));
  return reply.type('application/x-ndjson').send(events.stream);
}
