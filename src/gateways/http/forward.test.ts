/** The gateway between a client and a service in another process, which is a server in this one here. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http, { type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { temporaryFolder } from '../../../test/contract/offer.js';
import type { Session } from '../../catalog/catalog.js';
import { parseUserId } from '../../chunk/ids.js';
import { silentLogger } from '../../log.js';
import { fastify } from 'fastify';
import { forwardRoutes } from './forward.js';
import { ServiceClient } from './service-client.js';
import { sessionFromHeader } from './session-header.js';

const SESSION: Session = {
  token: 'token',
  background: 'background',
  user: parseUserId(new Uint8Array(32).fill(7)),
  name: 'ann',
  publicKey: new Uint8Array(32).fill(9),
  generation: 2,
  kit: true,
};

/** Of 1 MiB: many times what sockets and streams hold. */
const MOST_PARTS = 64;

interface Stage {
  readonly ask: (method: string, path: string) => http.ClientRequest;
  /** In whose name each request was admitted. */
  readonly admitted: readonly (string | undefined)[];
}

async function openStage(context: TestContext, service: RequestListener): Promise<Stage> {
  const folder = await temporaryFolder(context);
  const upstream = http.createServer(service).listen(join(folder, 'service'));
  await once(upstream, 'listening');
  const gateway = fastify({ forceCloseConnections: true });
  const admitted: (string | undefined)[] = [];
  const routes = {
    allowed: (_request: unknown, _reply: unknown, session: Session | undefined) => {
      admitted.push(session?.name);
      return new AbortController().signal;
    },
    logger: silentLogger(),
    sessionOf: () => SESSION,
    userOf: () => SESSION.name,
    callerOf: () => 'local',
    onSecret: async () => 0,
    note: () => undefined,
    stopping: new AbortController().signal,
    track: <T>(work: Promise<T>) => work,
  };
  for (const name of ['file-sender', 'file-receiver'] as const) {
    forwardRoutes(gateway, routes, {
      service: name,
      client: new ServiceClient(name, join(folder, 'service')),
      audience: 'local',
    });
  }
  await gateway.listen({ path: join(folder, 'gateway') });
  context.after(async () => {
    await gateway.close();
    upstream.closeAllConnections();
    upstream.close();
  });
  return {
    ask: (method, path) => http.request({ socketPath: join(folder, 'gateway'), method, path, agent: false }),
    admitted,
  };
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

async function answerOf(request: http.ClientRequest): Promise<IncomingMessage> {
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  return response;
}

describe('forwardRoutes', () => {
  it('passes on method, query, body and session, and the answer as it comes', async (context) => {
    const { ask } = await openStage(context, (request, response) => {
      const { token, user } = sessionFromHeader(request);
      void text(request).then((body) => {
        response.writeHead(201, { 'content-type': 'text/plain', 'x-other': 'stays' });
        response.end([request.method, request.url, body, token, user === SESSION.user].join(' '));
      });
    });
    const request = ask('PUT', '/v1/content?path=/a%20b');
    request.setHeader('content-type', 'application/octet-stream');
    request.end('bytes');
    const response = await answerOf(request);
    assert.deepEqual([response.statusCode, response.headers['x-other']], [201, undefined]);
    assert.equal(await text(response), 'PUT /v1/content?path=/a%20b bytes token true');
  });

  it("is in a user's name where the route is, and in nobody's else", async (context) => {
    const { ask, admitted } = await openStage(context, (_request, response) => response.end());
    for (const [method, path] of [
      ['DELETE', '/v1/trash'],
      ['POST', '/v1/repairs'],
    ] as const) {
      const request = ask(method, path);
      request.end();
      await text(await answerOf(request));
    }
    assert.deepEqual(admitted, ['ann', undefined]);
  });

  it('does not read ahead of a service that takes its time', async (context) => {
    const held: { request?: IncomingMessage; response?: ServerResponse } = {};
    const { ask } = await openStage(context, (request, response) => {
      Object.assign(held, { request, response });
    });
    const request = ask('PUT', '/v1/content?path=/a');
    request.on('error', () => undefined);
    const taken = { parts: 0 };
    void (async () => {
      const part = Buffer.alloc(1 << 20);
      for (; taken.parts < MOST_PARTS; taken.parts++) if (!request.write(part)) await once(request, 'drain');
    })().catch(() => undefined);
    while (held.request === undefined) await nextTurn();
    // It stands still when for many turns of the event loop, on which all three run, nothing was taken.
    for (let still = 0, seen = -1; still < 200;) {
      still = seen === taken.parts ? still + 1 : 0;
      seen = taken.parts;
      await nextTurn();
    }
    assert.ok(taken.parts < MOST_PARTS, 'not all was taken while nobody read');
    request.destroy();
    // The service is told that the client left.
    await assert.rejects(text(held.request), { code: 'ECONNRESET' });
  });

  it('brings a refusal that comes before the body was read', async (context) => {
    const { ask } = await openStage(context, (_request, response) => {
      response.writeHead(423, { 'content-type': 'application/json' }).end('{"code":"LOCKED","message":"x"}');
    });
    const request = ask('PUT', '/v1/content?path=/a');
    request.on('error', () => undefined);
    request.end(Buffer.alloc(1 << 22));
    const response = await answerOf(request);
    assert.equal(response.statusCode, 423);
    assert.match(await text(response), /LOCKED/);
  });

  it('ends lines of events that break off with one that names the service', async (context) => {
    const { ask } = await openStage(context, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"event":"progress","bytes":1}\n{"event":"sto');
      setImmediate(() => response.destroy());
    });
    const request = ask('POST', '/v1/imports');
    request.end();
    const lines = (await text(await answerOf(request))).trimEnd().split('\n');
    const events = lines.map((line) => JSON.parse(line) as { event: string; code?: string; message?: string });
    assert.deepEqual(
      events.map(({ event, code }) => [event, code]),
      [
        ['progress', undefined],
        ['error', 'UNAVAILABLE'],
      ],
    );
    assert.match(events[1]?.message ?? '', /File Sender .* broke off.*shoal serve file-sender/);
  });

  it('holds no line that never ends', async (context) => {
    const ended: { response?: ServerResponse } = {};
    const { ask } = await openStage(context, (_request, response) => {
      Object.assign(ended, { response });
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      response.write('{"event":"progress","bytes":1}\n');
      const part = 'x'.repeat(1 << 16);
      const more = (): void => {
        while (!response.destroyed && response.write(part));
      };
      response.on('drain', more);
      more();
    });
    const request = ask('POST', '/v1/imports');
    request.end();
    const lines = (await text(await answerOf(request))).trimEnd().split('\n');
    assert.equal(lines.length, 2);
    assert.match(
      lines[1] ?? '',
      /"code":"CORRUPT","message":"The service file-sender answers with a line of more than 65536 bytes/,
    );
    const { response } = ended;
    assert.ok(response !== undefined);
    if (!response.closed) await once(response, 'close');
  });

  it('never takes a cut file for a whole one', async (context) => {
    const { ask } = await openStage(context, (_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('half');
      setImmediate(() => response.destroy());
    });
    const request = ask('GET', '/v1/content?path=/a');
    request.end();
    await assert.rejects(async () => text(await answerOf(request)));
  });
});
