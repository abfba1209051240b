import { Server, ServerCredentials, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import type { ChunkStore } from '../chunk/chunk-store.js';
import type { HoldingsSource } from '../chunk/holdings.js';
import { parsePeerId, type PeerId } from '../chunk/ids.js';
import { makeReceipt } from '../chunk/receipt.js';
import { claimSocket, closeToOthers } from '../claim-socket.js';
import { certificateToDer, privateKeyFromPem } from '../crypto/certificates.js';
import { peerIdOf } from '../crypto/peer-identity.js';
import { signP256 } from '../crypto/signature.js';
import { assert, StorageError, wrapError } from '../errors.js';
import {
  CLOSE_GRACE_MS,
  IDLE_TIMEOUT_MS,
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_TIMEOUT_MS,
  MAX_MESSAGE_BYTES,
  MAX_STREAMS_PER_CONNECTION,
} from '../limits.js';
import type { Logger } from '../log.js';
import { silentTelemetry, type Telemetry } from '../telemetry.js';
import { admissionByHeader, admissionByTls } from './admission.js';
import type { HomeLookup } from './ask-home.js';
import type { CountLeft } from './count-left.js';
import { fileReceiver, type Pull, type SignReceipt } from './file-receiver.js';
import { fileSender } from './file-sender.js';
import type { OwnerLookup } from './get-owner.js';
import { RECEIVER, SENDER } from './methods.js';
import { MessagePool } from './message-pool.js';
import { type CurrentGeneration, SignedPermissions, type Permissions } from './permissions.js';
import { reflection } from './reflection.js';
import { guarded, type Edge } from './server-call.js';
import { secureContextOptions, serverCredentials, type TlsIdentity } from './tls.js';
import { WebServer, type WebRoute } from './web-server.js';
import { widenServer, type Widened } from './windows.js';

export interface ReceiverService {
  readonly store: ChunkStore & Partial<HoldingsSource>;
  /** Absent: PullChunk answers UNSUPPORTED. */
  readonly pull?: Pull;
  /** Absent: GetOwner answers UNSUPPORTED. */
  readonly owners?: OwnerLookup;
  /** Absent: CountLeft answers UNSUPPORTED. */
  readonly countLeft?: CountLeft;
  /** Default: the owners' signatures. */
  readonly permissions?: Permissions;
  /** Grants and orders of older generations are refused. */
  readonly currentGeneration?: CurrentGeneration;
}

export interface SenderService {
  readonly store: Pick<ChunkStore, 'get'>;
  /** Absent: AskHome answers UNSUPPORTED. */
  readonly home?: HomeLookup;
  /** Orders of older generations are refused. */
  readonly currentGeneration?: CurrentGeneration;
}

/** Where a server listens, and with that how callers are known. */
export type Listening =
  | {
      /** "host:port"; port 0 takes a free one. Mutual TLS; callers are known by the certificate of their connection. */
      readonly address: string;
      /** Answers over HTTP/1.1 on the same port. Absent: nobody does. */
      readonly web?: readonly WebRoute[];
    }
  | {
      /** A unix socket for a front: cleartext HTTP/2; callers are known by CERTIFICATE_HEADER, see admission.ts. */
      readonly socket: string;
    };

export type PeerServerOptions = Listening & PeerServices;

export interface PeerServices {
  /** Signs receipts, and protects the connections of an address. */
  readonly tls: TlsIdentity;
  /** Asked for every call. */
  readonly isMember: (peer: PeerId) => boolean;
  readonly receiver?: ReceiverService;
  readonly sender?: SenderService;
  readonly logger: Logger;
  /** Absent: nothing is counted. */
  readonly telemetry?: Telemetry;
  readonly nowMs?: () => number;
  /** Default IDLE_TIMEOUT_MS. */
  readonly idleTimeoutMs?: number;
}

export const RECEIVER_NAME = 'shoal.v1.FileReceiver';
export const SENDER_NAME = 'shoal.v1.FileSender';

function receiptSigner(peer: PeerId, tls: TlsIdentity, nowMs: () => number): SignReceipt {
  const key = privateKeyFromPem(tls.key);
  return ({ id, owner, bytes }) =>
    makeReceipt({ peer, chunk: id, owner, bytes, storedMs: nowMs() }, (body) => signP256('receipt', body, key));
}

/** @returns the names of the services that were added */
function addServices(server: Server, options: PeerServices, edge: Edge): string[] {
  const { receiver, sender, tls, nowMs = Date.now } = options;
  const names: string[] = [];
  const peer = parsePeerId(peerIdOf(certificateToDer(tls.certificate)));
  if (receiver !== undefined) {
    const permissions = receiver.permissions ?? new SignedPermissions(peer, nowMs, receiver.currentGeneration);
    const signReceipt = receiptSigner(peer, tls, nowMs);
    server.addService(RECEIVER, fileReceiver({ ...receiver, permissions, signReceipt }, edge));
    names.push(RECEIVER_NAME);
  }
  if (sender !== undefined) {
    const permissions = new SignedPermissions(peer, nowMs, sender.currentGeneration);
    server.addService(SENDER, fileSender({ ...sender, permissions }, edge));
    names.push(SENDER_NAME);
  }
  return names;
}

interface Parts {
  readonly server: Server;
  readonly widened: Widened;
  readonly health: HealthImplementation;
  readonly names: readonly string[];
  readonly web: WebServer | undefined;
}

/** What other peers reach of this one: FileReceiver, FileSender, health and reflection, by themselves or through a front. */
export class PeerServer implements AsyncDisposable {
  readonly #parts: Parts;
  /** 0 on a unix socket. */
  readonly port: number;
  #closed: Promise<void> | undefined;

  private constructor(parts: Parts, port: number) {
    this.#parts = parts;
    this.port = port;
  }

  /** @throws StorageError UNAVAILABLE when the address cannot be listened on, CONFLICT when another process serves the socket */
  static async open(options: PeerServerOptions): Promise<PeerServer> {
    const { tls, nowMs = Date.now, isMember, logger } = options;
    const server = new Server({
      'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
      'grpc.max_concurrent_streams': MAX_STREAMS_PER_CONNECTION,
      'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      // Its bookkeeping costs CPU for every message, and nothing reads it.
      'grpc.enable_channelz': 0,
    });
    const isPublic = 'address' in options;
    const admission = (isPublic ? admissionByTls : admissionByHeader)({ authority: tls.authority, isMember, nowMs });
    const routes = isPublic ? options.web : undefined;
    const web = routes && new WebServer({ admission, routes, logger });
    const widened = widenServer(
      server,
      isPublic ? { tls: secureContextOptions(tls), web: web && ((socket) => web.accept(socket)) } : 'socket',
    );
    const edge: Edge = {
      admit: admission.admit,
      logger,
      telemetry: options.telemetry ?? silentTelemetry(),
      pool: new MessagePool(),
      idleTimeoutMs: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
    };
    const names = addServices(server, options, edge);
    const health = new HealthImplementation(Object.fromEntries(['', ...names].map((name) => [name, 'SERVING'])));
    const front = {
      addService: (definition: ServiceDefinition, implementation: UntypedServiceImplementation) => {
        server.addService(definition, guarded(edge, implementation));
      },
    };
    health.addToServer(front);
    reflection(names).addToServer(front);
    const port = await listen(server, options);
    assert(widened.used(), 'grpc-js no longer makes its HTTP/2 server in Server.createHttp2Server');
    return new PeerServer({ server, widened, health, names, web }, port);
  }

  /** Ends the requests over HTTP/1.1 of peers that are members no longer: some wait for changes for long. */
  expel(): void {
    this.#parts.web?.expel();
  }

  /** New connections are served with this certificate, of the same key; those that are open go on. */
  renew(tls: TlsIdentity): void {
    this.#parts.widened.renew(secureContextOptions(tls));
  }

  /** Calls in progress get CLOSE_GRACE_MS to end. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { health, names } = this.#parts;
    for (const name of ['', ...names]) health.setStatus(name, 'NOT_SERVING');
    const timer = setTimeout(() => {
      this.#parts.server.forceShutdown();
      this.#parts.widened.sever();
    }, CLOSE_GRACE_MS);
    this.#parts.web?.close();
    await new Promise<void>((resolve) => {
      // It fails only when the server was not running, which is what is wanted.
      this.#parts.server.tryShutdown(() => {
        resolve();
      });
    });
    clearTimeout(timer);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

async function listen(server: Server, options: PeerServerOptions): Promise<number> {
  if ('address' in options) return await bind(server, options.address, serverCredentials(options.tls));
  await claimSocket(options.socket);
  await bind(server, `unix:${options.socket}`, ServerCredentials.createInsecure());
  await closeToOthers(options.socket);
  return 0;
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) {
        resolve(port);
        return;
      }
      const why = wrapError(error, `listening on ${address}`).message;
      reject(new StorageError('UNAVAILABLE', `${why} Is another program using the port?`, { cause: error }));
    });
  });
}
