import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { FastifyReply } from 'fastify';
import { text } from 'node:stream/consumers';
import type { Readable } from 'node:stream';
import { it } from 'node:test';
import { InProgress } from './in-progress.js';
import { sendLines } from './send-lines.js';

class Raw extends EventEmitter {
  closed = false;
}

interface Stage {
  readonly raw: Raw;
  readonly reply: FastifyReply;
  readonly sent: Readable[];
}

function stage(): Stage {
  const raw = new Raw();
  const sent: Readable[] = [];
  const reply = {
    raw,
    type: () => reply,
    send: (body: Readable) => {
      sent.push(body);
      return reply;
    },
  };
  return { raw, reply: reply as unknown as FastifyReply, sent };
}

it('the server waits for the work, and until how it ended was taken', async () => {
  const { raw, reply, sent } = stage();
  const work = new InProgress();
  let isOver = false;
  sendLines<{ event: 'done' }>(work, reply, async (events) => {
    events.push({ event: 'done' });
  });
  const ended = work.ended(60_000).then(() => (isOver = true));
  const [body] = sent;
  assert.ok(body !== undefined);
  assert.equal(await text(body), '{"event":"done"}\n');
  assert.equal(isOver, false);
  raw.emit('close');
  await ended;
});

it('the server does not wait for a client that had left before the work began', async () => {
  const { raw, reply, sent } = stage();
  raw.closed = true;
  const work = new InProgress();
  sendLines(work, reply, async () => undefined);
  const late = new Promise((resolve) => setTimeout(resolve, 60_000).unref());
  await Promise.race([work.ended(120_000), late.then(() => assert.fail('it waits'))]);
  assert.equal(sent.length, 1);
});
