import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parsePeerId } from '../../src/chunk/ids.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  privateKeyToPem,
} from '../../src/crypto/certificates.js';
import { peerIdOf } from '../../src/crypto/peer-identity.js';
import { StorageError } from '../../src/errors.js';
import { SEGMENT_BYTES } from '../../src/limits.js';
import { timeLimit } from '../../src/time-limit.js';
import { PeerChannel } from '../../src/wire/peer-channel.js';
import type { TlsIdentity } from '../../src/wire/tls.js';
import type { Work } from './cpu-per-gib.js';
import { FLOOR_SERVICE, type FromServer, type ToServer } from './grpc-service.js';
import { sendMessages } from './send-messages.js';

const SERVER = fileURLToPath(new URL('grpc-server.js', import.meta.url));
/** It loads grpc-js and answers: a second where nothing else runs. */
const ANSWER_TIMEOUT_MS = 30_000;

/** Nothing here is called off. */
const NEVER = new AbortController().signal;

/** Messages of one segment between two processes over TLS, with nothing else done to them. The client is this process. */
export class GrpcFloor implements AsyncDisposable {
  readonly #server: ChildProcess;
  readonly #channel: PeerChannel;

  private constructor(server: ChildProcess, channel: PeerChannel) {
    this.#server = server;
    this.#channel = channel;
  }

  static async open(): Promise<GrpcFloor> {
    const { tls, certificate } = await makeIdentity();
    const server = fork(SERVER);
    try {
      const reply = await ask(server, { tls });
      if (!('port' in reply)) throw new StorageError('INTERNAL', 'The server of the floor does not say its port.');
      const id = parsePeerId(peerIdOf(certificate));
      const peer = { id, address: `127.0.0.1:${String(reply.port)}`, certificate };
      return new GrpcFloor(server, PeerChannel.open({ peer, tls }));
    } catch (error) {
      server.kill('SIGKILL');
      throw error;
    }
  }

  /** CPU seconds of the server so far. */
  async serverCpuSeconds(): Promise<number> {
    const reply = await ask(this.#server, 'usage');
    return 'cpuSeconds' in reply ? reply.cpuSeconds : 0;
  }

  uploadWork(): Work {
    const message = randomBytes(SEGMENT_BYTES);
    return async (bytes) => {
      const turn = await this.#channel.begin(NEVER);
      const call = this.#channel.duplex(FLOOR_SERVICE.upload, turn);
      call.resume();
      const ended = once(call, 'end');
      await Promise.race([sendMessages(call, message, bytes / SEGMENT_BYTES), ended]);
      call.end();
      await ended;
    };
  }

  downloadWork(): Work {
    return async (bytes) => {
      const request = Buffer.alloc(4);
      request.writeUInt32BE(bytes / SEGMENT_BYTES);
      const turn = await this.#channel.begin(NEVER);
      const call = this.#channel.readable(FLOOR_SERVICE.download, request, turn);
      call.resume();
      await once(call, 'end');
    };
  }

  async close(): Promise<void> {
    await this.#channel.close();
    if (this.#server.exitCode !== null || this.#server.signalCode !== null) return;
    const exited = once(this.#server, 'exit');
    this.#server.kill('SIGKILL');
    await exited;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One certificate serves both ends. */
async function makeIdentity(): Promise<{ readonly tls: TlsIdentity; readonly certificate: Uint8Array }> {
  const nowMs = Date.now();
  const authority = await createAuthority('bench', nowMs);
  const { publicKey, privateKey } = newPeerKeyPair();
  const request = { publicKey, name: 'bench', days: 1, hosts: ['127.0.0.1'], nowMs };
  const certificate = await issueCertificate(authority, request);
  const tls = {
    key: privateKeyToPem(privateKey),
    certificate: certificateToPem(certificate),
    authority: authority.certificate,
  };
  return { tls, certificate };
}

async function ask(server: ChildProcess, request: ToServer): Promise<FromServer> {
  using patience = timeLimit(ANSWER_TIMEOUT_MS, NEVER);
  const answered = once(server, 'message', { signal: patience.signal });
  server.send(request);
  const [reply] = (await answered) as [FromServer];
  return reply;
}
