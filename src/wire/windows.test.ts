import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type ClientHttp2Stream, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { Server } from '@grpc/grpc-js';
import { http2Bounds, widenServer } from './windows.js';

describe('widenServer', () => {
  it('fails loudly when grpc-js no longer has the seam', () => {
    for (const missing of ['commonServerOptions', 'createHttp2Server']) {
      const server = new Server();
      Object.defineProperty(server, missing, { value: undefined });
      assert.throws(() => widenServer(server, 'socket'), new RegExp(`grpc-js has no Server.${missing} any more`));
    }
  });

  it('tells whether grpc-js made its HTTP/2 server through the seam', () => {
    assert.equal(widenServer(new Server(), 'socket').used(), false);
  });
});

describe('http2Bounds', () => {
  it('lets 128 calls follow 128 others that Node has not forgotten yet', async () => {
    const server = createServer(http2Bounds(false));
    server.on('stream', (stream: ServerHttp2Stream) => {
      // Answered, yet its body was not read to the end.
      stream.once('readable', () => {
        stream.read(1);
      });
      stream.respond({ ':status': 200 }, { endStream: true });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connect(`http://127.0.0.1:${String((server.address() as AddressInfo).port)}`);
    await once(client, 'remoteSettings');
    try {
      for (let round = 0; round < 2; round++) {
        const calls = Array.from({ length: 128 }, () => client.request({ ':method': 'POST' }, { endStream: false }));
        const refused = await Promise.all(calls.map(refusal));
        assert.deepEqual([...new Set(refused)], [undefined]);
      }
    } finally {
      client.destroy();
      server.close();
    }
  });
});

/** @returns what a call failed with */
async function refusal(call: ClientHttp2Stream): Promise<string | undefined> {
  call.end(Buffer.alloc(1024));
  call.resume();
  try {
    await once(call, 'close');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
