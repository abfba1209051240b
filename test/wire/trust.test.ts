import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { parseChunkId, type PeerId } from '../../src/chunk/ids.js';
import type { StorageError } from '../../src/errors.js';
import {
  CONNECTION_WINDOW_BYTES,
  MAX_HEADER_BYTES,
  MAX_STREAMS_PER_CONNECTION,
  STREAM_WINDOW_BYTES,
} from '../../src/limits.js';
import { MemoryStore } from '../../src/store/memory-store.js';
import { RemoteStore } from '../../src/wire/remote-store.js';
import type { PeerServer } from '../../src/wire/server.js';
import { channelCredentials } from '../../src/wire/tls.js';
import { code } from '../contract/chunk-store-bench.js';
import { reach, serve, TestNetwork, type TestPeer } from './network.js';

const signal = new AbortController().signal;
const ANY_ID = parseChunkId('ab'.repeat(32));

async function ask(store: RemoteStore): Promise<void> {
  try {
    await store.has([ANY_ID], { signal });
  } finally {
    await store.close();
  }
}

/** One small call of a service that is not Shoal's own, by a client of the peer's choosing. */
function plainCall(client: Client, path: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const through = (message: Buffer): Buffer => message;
    client.makeUnaryRequest(path, through, through, request, new Metadata(), (error, response) => {
      if (error === null && response !== undefined) resolve(response);
      else reject(error ?? new Error('no answer'));
    });
  });
}

describe('who may call a peer', () => {
  const removed = new Set<PeerId>();
  let network: TestNetwork, target: TestPeer, member: TestPeer, server: PeerServer, store: MemoryStore;

  before(async () => {
    network = await TestNetwork.open();
    [target, member] = [await network.peer(), await network.peer()];
    store = await MemoryStore.open();
    server = await serve(target, {
      isMember: (peer) => !removed.has(peer),
      receiver: { store },
      sender: { store },
    });
  });
  after(async () => {
    await server.close();
    await store.close();
  });

  const tlsOptions = (): ConnectionOptions => ({
    port: server.port,
    host: '127.0.0.1',
    key: member.tls.key,
    cert: member.tls.certificate,
    ca: member.tls.authority,
    checkServerIdentity: () => undefined,
  });

  it('a member may', async () => {
    await ask(RemoteStore.open(reach(member, target, server.port)));
  });

  it('a peer with a certificate of another authority is UNAUTHENTICATED', async () => {
    const foreign = await (await TestNetwork.open()).peer();
    const tls = { ...foreign.tls, authority: target.tls.authority };
    await assert.rejects(
      ask(RemoteStore.open({ ...reach(member, target, server.port), tls })),
      code('UNAUTHENTICATED'),
    );
  });

  it('a peer whose certificate has expired is UNAUTHENTICATED', async () => {
    const old = await network.peer({ ageDays: 10, days: 9 });
    await assert.rejects(ask(RemoteStore.open(reach(old, target, server.port))), code('UNAUTHENTICATED'));
  });

  it('a client without a certificate is UNAUTHENTICATED, whatever it calls, and its connection does not last', async () => {
    const anonymous = new Client(
      `127.0.0.1:${String(server.port)}`,
      credentials.createSsl(Buffer.from(target.tls.authority), null, null, { checkServerIdentity: () => undefined }),
      { 'grpc.ssl_target_name_override': 'peer.shoal' },
    );
    for (const path of ['/shoal.v1.FileReceiver/HasChunks', '/grpc.health.v1.Health/Check']) {
      await assert.rejects(
        plainCall(anonymous, path, Buffer.alloc(0)),
        (error: ServiceError) => error.code === status.UNAUTHENTICATED && error.details.includes('certificate'),
      );
    }
    anonymous.close();
    const { port, host, ca, checkServerIdentity } = tlsOptions() as Required<ConnectionOptions>;
    const stranger = { port, host, ca, checkServerIdentity };
    const session = connectHttp2('https://127.0.0.1', {
      createConnection: () => connectTls({ ...stranger, ALPNProtocols: ['h2'] }),
    });
    await once(session, 'close');
  });

  it('a removed member is PERMISSION_DENIED at once, on its open connection too', async () => {
    const leaver = await network.peer();
    const remote = RemoteStore.open(reach(leaver, target, server.port));
    await remote.has([ANY_ID], { signal });
    removed.add(leaver.id);
    await assert.rejects(ask(remote), code('PERMISSION_DENIED'));
  });

  it('speaks TLS 1.3 only, and prefers the suite that costs least', async () => {
    const socket = connectTls({ ...tlsOptions(), ALPNProtocols: ['h2'] });
    await once(socket, 'secureConnect');
    assert.equal(socket.getProtocol(), 'TLSv1.3');
    assert.equal(socket.getCipher().name, 'TLS_AES_128_GCM_SHA256');
    socket.destroy();
    const old = connectTls({ ...tlsOptions(), maxVersion: 'TLSv1.2' });
    const [error] = (await once(old, 'error').catch((failure: unknown) => [failure])) as [Error];
    assert.match(error.message, /version|alert/i);
  });

  it('announces its windows and bounds', async () => {
    const session = connectHttp2('https://127.0.0.1', {
      createConnection: () => connectTls({ ...tlsOptions(), ALPNProtocols: ['h2'] }),
    });
    const [settings] = (await once(session, 'remoteSettings')) as [Record<string, number>];
    assert.equal(settings['initialWindowSize'], STREAM_WINDOW_BYTES);
    assert.equal(settings['maxConcurrentStreams'], MAX_STREAMS_PER_CONNECTION);
    assert.equal(settings['maxHeaderListSize'], MAX_HEADER_BYTES);
    // The WINDOW_UPDATE of the connection follows the settings; a ping's answer comes behind both.
    await new Promise((resolve) => session.ping(resolve));
    assert.equal(session.state.remoteWindowSize, CONNECTION_WINDOW_BYTES);
    session.destroy();
  });

  it('answers health checks and reflection', async () => {
    const client = new Client(
      `127.0.0.1:${String(server.port)}`,
      channelCredentials(member.tls, target.id, () => undefined),
      { 'grpc.ssl_target_name_override': 'peer.shoal' },
    );
    for (const name of ['', 'shoal.v1.FileReceiver', 'shoal.v1.FileSender']) {
      const request = Buffer.concat([Buffer.from(name === '' ? [] : [0x0a, name.length]), Buffer.from(name)]);
      // HealthCheckResponse{status: SERVING = 1}
      assert.deepEqual(await plainCall(client, '/grpc.health.v1.Health/Check', request), Buffer.from([0x08, 0x01]));
    }
    const listing = await reflected(client);
    assert.match(listing, /shoal\.v1\.FileReceiver/);
    assert.match(listing, /shoal\.v1\.FileSender/);
    client.close();
  });
});

/** ServerReflectionRequest{list_services: "*"}, as text. */
function reflected(client: Client): Promise<string> {
  return new Promise((resolve, reject) => {
    const through = (message: Buffer): Buffer => message;
    const call = client.makeBidiStreamRequest(
      '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
      through,
      through,
    );
    call.once('data', (answer: Buffer) => {
      resolve(answer.toString('latin1'));
      call.end();
    });
    call.once('error', reject);
    call.write(Buffer.from([0x3a, 0x01, 0x2a]));
  });
}

describe('whom a peer believes to be talking to', () => {
  it('refuses another member at the address of the one it wants', async () => {
    const network = await TestNetwork.open();
    const [client, wanted, impostor] = [await network.peer(), await network.peer(), await network.peer()];
    await using store = await MemoryStore.open();
    await using server = await serve(impostor, { receiver: { store } });
    await assert.rejects(ask(RemoteStore.open(reach(client, wanted, server.port))), (error: StorageError) => {
      assert.equal(error.code, 'UNAUTHENTICATED', error.message);
      assert.match(error.message, new RegExp(`${impostor.id.slice(0, 12)}… answers at the address of`));
      return true;
    });
  });

  it('refuses a server of another authority', async () => {
    const client = await (await TestNetwork.open()).peer();
    const stranger = await (await TestNetwork.open()).peer();
    await using store = await MemoryStore.open();
    await using server = await serve(stranger, { receiver: { store } });
    await assert.rejects(ask(RemoteStore.open(reach(client, stranger, server.port))), code('UNAUTHENTICATED'));
  });

  it('refuses a certificate kept for the peer that is not its own', async () => {
    const network = await TestNetwork.open();
    const [client, wanted, other] = [await network.peer(), await network.peer(), await network.peer()];
    const options = reach(client, wanted, 1);
    assert.throws(
      () => RemoteStore.open({ ...options, peer: { ...options.peer, certificate: other.certificate } }),
      code('CORRUPT'),
    );
  });

  it('says UNAVAILABLE where nobody listens', async () => {
    const network = await TestNetwork.open();
    const [client, wanted] = [await network.peer(), await network.peer()];
    const server = await serve(wanted, {});
    await server.close();
    await assert.rejects(ask(RemoteStore.open(reach(client, wanted, server.port))), code('UNAVAILABLE'));
  });
});
