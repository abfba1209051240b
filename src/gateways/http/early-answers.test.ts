import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fastify } from 'fastify';
import { answerEarly } from './early-answers.js';

const PART = Buffer.alloc(64 * 1024);
const PARTS = 80;

/** Refuses whatever is put there, before it has read it. */
async function open(context: TestContext): Promise<number> {
  const server = fastify({ forceCloseConnections: true });
  server.addContentTypeParser('application/octet-stream', (_request, payload, done) => {
    done(null, payload);
  });
  answerEarly(server);
  server.put('/', (_request, reply) => reply.code(503).send({ code: 'UNAVAILABLE' }));
  context.after(() => server.close());
  await server.listen({ host: '127.0.0.1', port: 0 });
  return (server.server.address() as AddressInfo).port;
}

/** Sends all of its request before it looks for an answer, as browsers do. @returns all that came until the end */
async function upload(port: number, header: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const length = String(PART.length * PARTS);
  const type = 'content-type: application/octet-stream';
  const failed = once(socket, 'error').then(([error]) => Promise.reject(error as Error));
  const send = async (): Promise<string> => {
    socket.write(`PUT / ${header}\r\n${type}\r\ncontent-length: ${length}\r\n\r\n`);
    for (let part = 0; part < PARTS; part++) {
      if (!socket.write(PART)) await once(socket, 'drain');
      if (part === 0) await sleep(50);
    }
    const parts: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => parts.push(bytes));
    await once(socket, 'end');
    return Buffer.concat(parts).toString();
  };
  try {
    return await Promise.race([send(), failed]);
  } finally {
    socket.destroy();
  }
}

test('who wants the connection closed reads the refusal of an upload when all of it is sent', async (context) => {
  const port = await open(context);
  for (const header of ['HTTP/1.1\r\nhost: here\r\nconnection: close', 'HTTP/1.0']) {
    const answer = await upload(port, header);
    assert.match(answer, /^HTTP\/1\.1 503 /);
    assert.match(answer, /\{"code":"UNAVAILABLE"\}$/);
  }
});
