import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Server } from '@grpc/grpc-js';
import { widenServer } from './windows.js';

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
