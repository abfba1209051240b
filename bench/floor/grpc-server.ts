/** A bare grpc-js server in a process of its own, with the windows, the TLS and the options of a peer's. */
import { randomBytes } from 'node:crypto';
import { Server, type ServerDuplexStream, type ServerWritableStream } from '@grpc/grpc-js';
import { assert } from '../../src/errors.js';
import { MAX_MESSAGE_BYTES, SEGMENT_BYTES } from '../../src/limits.js';
import { secureContextOptions, serverCredentials, type TlsIdentity } from '../../src/wire/tls.js';
import { widenServer } from '../../src/wire/windows.js';
import { FLOOR_SERVICE, type FromServer, type ToServer } from './grpc-service.js';
import { sendMessages } from './send-messages.js';

const message = randomBytes(SEGMENT_BYTES);

function upload(call: ServerDuplexStream<Buffer, Buffer>): void {
  call.on('data', () => undefined);
  call.on('end', () => {
    call.write(Buffer.alloc(0));
    call.end();
  });
}

function download(call: ServerWritableStream<Buffer, Buffer>): void {
  void sendMessages(call, message, call.request.readUInt32BE()).then(() => call.end());
}

function listen(tls: TlsIdentity): void {
  const server = new Server({
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.enable_channelz': 0,
  });
  const widened = widenServer(server, { tls: secureContextOptions(tls) });
  server.addService(FLOOR_SERVICE, { upload, download });
  server.bindAsync('127.0.0.1:0', serverCredentials(tls), (error, port) => {
    if (error !== null) throw error;
    assert(widened.used(), 'the windows of the server are as small as ever');
    answer({ port });
  });
}

function answer(reply: FromServer): void {
  process.send?.(reply);
}

process.on('message', (request: ToServer) => {
  if (request === 'usage') {
    const { user, system } = process.cpuUsage();
    answer({ cpuSeconds: (user + system) / 1e6 });
  } else listen(request.tls);
});
// Whoever started it has gone, in whatever way.
process.on('disconnect', () => process.exit());
