import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { StorageError } from '../../src/errors.js';
import { httpCall } from '../../src/http-call.js';

describe('a host that is slow', () => {
  let server: Server;
  const ask = async (idleTimeoutMs: number, body?: string): Promise<Uint8Array[]> => {
    const { port } = server.address() as AddressInfo;
    const call = { method: 'POST' as const, path: '/', idleTimeoutMs, signal: new AbortController().signal };
    const place = { protocol: 'http:', hostname: '127.0.0.1', port, agent: false as const };
    const reply = await httpCall(place, body === undefined ? call : { ...call, body }, 'the host');
    const all: Uint8Array[] = [];
    for await (const part of reply.body) all.push(part);
    return all;
  };
  const isTimeout = (error: unknown): boolean => StorageError.is(error, 'TIMEOUT');

  afterEach(() => server.close());

  it('is given up when it says nothing, before, in and after its head', async () => {
    for (const words of ['', 'HTTP/1.1 200 OK\r\n', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nabc']) {
      server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.write(words);
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      await assert.rejects(ask(100, '{}'), isTimeout);
      server.close();
    }
  });

  it('is given up when it reads nothing', async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.pause();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    await assert.rejects(ask(100, 'x'.repeat(20_000_000)), isTimeout);
  });
});
