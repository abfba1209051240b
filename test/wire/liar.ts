import {
  Client,
  Server,
  type ClientDuplexStream,
  type ServerDuplexStream,
  type ServerWritableStream,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { StoreChunkRequest, StoreChunkResponse } from '../../src/gen/shoal/v1/receiver.js';
import type { SendChunkRequest } from '../../src/gen/shoal/v1/sender.js';
import { RECEIVER, SENDER } from '../../src/wire/methods.js';
import { channelCredentials, secureContextOptions, serverCredentials } from '../../src/wire/tls.js';
import { widenServer } from '../../src/wire/windows.js';
import type { TestPeer } from './network.js';

export type StoreChunkCall = ServerDuplexStream<StoreChunkRequest, Buffer>;
export type SendChunkCall = ServerWritableStream<SendChunkRequest, Buffer>;

/** A member of the network that answers as a test wants, bytes and all. */
export interface Liar extends AsyncDisposable {
  readonly port: number;
}

async function lie(peer: TestPeer, add: (server: Server) => void): Promise<Liar> {
  const server = new Server({ 'grpc.enable_channelz': 0 });
  widenServer(server, { tls: secureContextOptions(peer.tls) });
  add(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', serverCredentials(peer.tls), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  return {
    port,
    [Symbol.asyncDispose]: () => {
      server.forceShutdown();
      return Promise.resolve();
    },
  };
}

export function lyingReceiver(peer: TestPeer, handlers: UntypedServiceImplementation): Promise<Liar> {
  return lie(peer, (server) => {
    server.addService(RECEIVER, handlers);
  });
}

export function lyingSender(peer: TestPeer, handlers: UntypedServiceImplementation): Promise<Liar> {
  return lie(peer, (server) => {
    server.addService(SENDER, handlers);
  });
}

/** A client that writes whatever bytes a test wants on one StoreChunk stream. */
export function rawOffer(
  client: TestPeer,
  target: TestPeer,
  port: number,
): { readonly call: ClientDuplexStream<Buffer, StoreChunkResponse>; readonly close: () => void } {
  const credentials = channelCredentials(client.tls, target.id, () => undefined);
  const channel = new Client(`127.0.0.1:${String(port)}`, credentials, {
    'grpc.ssl_target_name_override': 'peer.shoal',
    'grpc.use_local_subchannel_pool': 1,
  });
  const call = channel.makeBidiStreamRequest(
    RECEIVER.storeChunk.path,
    (message: Buffer) => message,
    (message: Buffer) => StoreChunkResponse.decode(message),
  );
  return {
    call,
    close: () => {
      channel.close();
    },
  };
}

export function request(message: StoreChunkRequest['message']): Buffer {
  return Buffer.from(StoreChunkRequest.encode({ message }).finish());
}
