/** A front that is closed while somebody comes in: what is in the middle of its handshake holds up nobody. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { NodeFront } from '../../src/front/node-front.js';
import { webRoutes } from '../../src/front/web-routes.js';
import { MAX_CONNECTIONS_PER_ADDRESS } from '../../src/limits.js';
import { silentLogger } from '../../src/log.js';
import { PeerServer } from '../../src/wire/server.js';
import { secureContextOptions } from '../../src/wire/tls.js';
import { TestNetwork, type TestPeer } from '../wire/network.js';

interface Closable extends AsyncDisposable {
  readonly port: number;
  close(): Promise<void>;
}

const ADDRESS = '127.0.0.1:0';
const logger = silentLogger();

const FRONTS: Readonly<Record<string, (tls: TestPeer['tls']) => Promise<Closable>>> = {
  'in the process': (tls) =>
    PeerServer.open({
      address: ADDRESS,
      tls,
      isMember: () => true,
      // Waits for changes, as it were.
      web: webRoutes({ couchdb: () => undefined }),
      logger,
    }),
  'built in': (tls) =>
    NodeFront.open({ address: ADDRESS, tls, socketOf: () => '/nowhere', couch: { socket: '/nowhere' }, logger }),
};

async function shake(socket: Socket, peer: TestPeer, protocol: string): Promise<TLSSocket> {
  const tls = connectTls({
    socket,
    ...secureContextOptions(peer.tls),
    ALPNProtocols: [protocol],
    checkServerIdentity: () => undefined,
  });
  tls.on('error', () => undefined);
  await Promise.race([once(tls, 'secureConnect'), new Promise((resolve) => tls.once('close', resolve))]);
  return tls;
}

for (const [name, open] of Object.entries(FRONTS)) {
  describe(`the front ${name}, when it is closed`, () => {
    for (const protocol of ['http/1.1', 'h2']) {
      it(`waits for no handshake of ${protocol}`, async () => {
        const network = await TestNetwork.open();
        const [host, member] = [await network.peer(), await network.peer()];
        await using front = await open(host.tls);
        const socket = connectTcp(front.port, '127.0.0.1');
        await once(socket, 'connect');
        // One that has been served: the other was accepted before it.
        (await shake(connectTcp(front.port, '127.0.0.1'), member, protocol)).destroy();
        const closed = front.close();
        const tls = await shake(socket, member, protocol);
        if (protocol === 'http/1.1' && !tls.destroyed) {
          tls.write('GET /couchdb/network/_changes HTTP/1.1\r\nhost: a\r\n\r\n');
        }
        await closed;
      });
    }

    it('waits for nobody who says nothing', async () => {
      const network = await TestNetwork.open();
      const [host, member] = [await network.peer(), await network.peer()];
      await using front = await open(host.tls);
      const socket = connectTcp(front.port, '127.0.0.1');
      const ended = once(socket, 'close');
      socket.on('error', () => undefined);
      await once(socket, 'connect');
      (await shake(connectTcp(front.port, '127.0.0.1'), member, 'h2')).destroy();
      await front.close();
      await ended;
    });
  });

  describe(`the front ${name}`, () => {
    it('leaves room for others when one address takes all it may', async () => {
      const network = await TestNetwork.open();
      const [host, member] = [await network.peer(), await network.peer()];
      await using front = await open(host.tls);
      const from = async (localAddress: string): Promise<Socket> => {
        const socket = connectTcp({ port: front.port, host: '127.0.0.1', localAddress });
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        return socket;
      };
      const greedy = await Promise.all(Array.from({ length: MAX_CONNECTIONS_PER_ADDRESS }, () => from('127.0.0.1')));
      try {
        const refused = await from('127.0.0.1');
        if (!refused.destroyed) await once(refused, 'close');
        const welcome = await shake(await from('127.0.0.2'), member, 'h2');
        assert.ok(welcome.authorized, 'somebody else comes in');
        welcome.destroy();
      } finally {
        for (const socket of greedy) socket.destroy();
      }
    });
  });
}
