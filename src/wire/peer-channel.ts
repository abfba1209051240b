import type { KeyObject } from 'node:crypto';
import {
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ClientDuplexStream,
  type ClientReadableStream,
  type MethodDefinition,
  type ServiceError,
} from '@grpc/grpc-js';
import type { PeerId } from '../chunk/ids.js';
import { peerHostName } from '../crypto/certificates.js';
import { peerIdOf, readCertificate } from '../crypto/peer-identity.js';
import { StorageError } from '../errors.js';
import {
  CALL_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  KEEPALIVE_INTERVAL_MS,
  KEEPALIVE_TIMEOUT_MS,
  MAX_CALLS_PER_CHANNEL,
  MAX_MESSAGE_BYTES,
  MAX_RECONNECT_MS,
  MIN_RECONNECT_MS,
  STREAM_WINDOW_BYTES,
} from '../limits.js';
import { onAbort } from '../on-abort.js';
import { requestHeaders } from '../request-context.js';
import { CERTIFICATE_HEADER, escapeCertificate } from './admission.js';
import { CallLife } from './call-life.js';
import { CallTurns } from './call-turns.js';
import { MessagePool } from './message-pool.js';
import type { Idle } from './message-reader.js';
import { fromServiceError } from './status.js';
import { channelCredentials, type TlsIdentity } from './tls.js';

/** Another peer, as the peer book knows it. */
export interface RemotePeer {
  readonly id: PeerId;
  /** "host:port". */
  readonly address: string;
  /** DER; its key signs receipts. */
  readonly certificate: Uint8Array;
  /**
   * Of this peer itself: the unix socket of its File Receiver, which stands in for the address. Who may open it is this
   * peer's own system user, so there is no TLS; who we are goes along as a front would say it.
   */
  readonly socket?: string;
}

export interface PeerChannelOptions {
  readonly peer: RemotePeer;
  /** Who we are. */
  readonly tls: TlsIdentity;
  /** Several channels of a thread may share one; default: one of its own. */
  readonly pool?: MessagePool;
  /** Default IDLE_TIMEOUT_MS. */
  readonly idleTimeoutMs?: number;
  /** Default CONNECT_TIMEOUT_MS. */
  readonly connectTimeoutMs?: number;
  /** Default CALL_TIMEOUT_MS. */
  readonly callTimeoutMs?: number;
}

/** What a client needs to know of a method. */
export type ClientMethod<Request, Response> = Pick<
  MethodDefinition<Request, Response>,
  'path' | 'requestSerialize' | 'responseDeserialize'
>;

export interface CallOptions {
  readonly signal: AbortSignal;
  /** Default: the channel's callTimeoutMs. */
  readonly timeoutMs?: number;
}

function channelOptions(peer: RemotePeer): Record<string, string | number> {
  return {
    ...(peer.socket === undefined
      ? // An address is no name (RFC 6066 section 3); the identity is checked by key, in tls.ts.
        { 'grpc.ssl_target_name_override': peerHostName(peer.id) }
      : // The socket is the address; its path would make a malformed HTTP/2 authority.
        { 'grpc.default_authority': 'localhost' }),
    // Of each stream, and of all streams of the connection together.
    'grpc-node.flow_control_window': STREAM_WINDOW_BYTES,
    'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
    'grpc.max_send_message_length': MAX_MESSAGE_BYTES,
    'grpc.keepalive_time_ms': KEEPALIVE_INTERVAL_MS,
    'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
    'grpc.initial_reconnect_backoff_ms': MIN_RECONNECT_MS,
    'grpc.max_reconnect_backoff_ms': MAX_RECONNECT_MS,
    // Stores do not retry: their callers do. Without the buffer, a write is done when the network has taken it.
    'grpc.enable_retries': 0,
    'grpc.per_rpc_retry_buffer_size': 0,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_http_proxy': 0,
    // Two channels never share a connection unless their owner shares the channel.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_channelz': 0,
  };
}

/** Leave to make one call. */
export interface Turn {
  /** To be called once, when the call has ended. */
  readonly end: () => void;
}

/** One connection to one peer, made at the first call and again when it was lost. Several stores may share it. */
export class PeerChannel implements AsyncDisposable {
  readonly peer: RemotePeer;
  /** "Peer 0123456789ab…", for messages. */
  readonly name: string;
  /** The key of the peer's certificate. */
  readonly publicKey: KeyObject;
  readonly idle: Idle;
  readonly pool: MessagePool;
  readonly #client: Client;
  readonly #options: PeerChannelOptions;
  readonly #turns = new CallTurns(MAX_CALLS_PER_CHANNEL);
  #calls = 0;
  #impostor: StorageError | undefined;

  private constructor(options: PeerChannelOptions, publicKey: KeyObject) {
    const { peer } = options;
    this.peer = peer;
    this.pool = options.pool ?? new MessagePool();
    this.name = peer.socket === undefined ? `Peer ${peer.id.slice(0, 12)}…` : "This peer's File Receiver";
    this.publicKey = publicKey;
    this.idle = { ms: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS, peer: this.name };
    this.#options = options;
    this.#client =
      peer.socket === undefined
        ? this.#connect(peer)
        : new Client(`unix:${peer.socket}`, credentials.createInsecure(), channelOptions(peer));
  }

  /** Connects to nobody yet. @throws StorageError CORRUPT for a certificate that is not the peer's */
  static open(options: PeerChannelOptions): PeerChannel {
    const { publicKey } = readCertificate(options.peer.certificate);
    if (peerIdOf(publicKey) !== options.peer.id) {
      throw new StorageError(
        'CORRUPT',
        `The certificate kept for peer ${options.peer.id.slice(0, 12)}… is not its own.`,
      );
    }
    return new PeerChannel(options, publicKey);
  }

  /**
   * Before every call: waits for the connection, and while too many calls are in progress. A refused connection fails the call
   * itself, with its reason.
   *
   * @throws StorageError UNAVAILABLE when no connection is up in time
   */
  async begin(signal: AbortSignal): Promise<Turn> {
    this.#calls++;
    try {
      await this.#connected(signal);
      const pass = await this.#turns.begin(signal);
      const end = (): void => {
        this.#calls--;
        pass();
      };
      return { end };
    } catch (error) {
      this.#calls--;
      throw error;
    }
  }

  async #connected(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const channel = this.#client.getChannel();
    const timeoutMs = this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      const state = channel.getConnectivityState(true);
      if (state === connectivityState.READY) this.#impostor = undefined;
      if (state !== connectivityState.IDLE && state !== connectivityState.CONNECTING) return;
      await new Promise<void>((resolve, reject) => {
        const stopListening = onAbort(signal, () => {
          reject(signal.reason as Error);
        });
        channel.watchConnectivityState(state, deadline, (error) => {
          stopListening();
          if (error === undefined) resolve();
          else reject(new StorageError('UNAVAILABLE', `${this.name} did not answer within ${String(timeoutMs)} ms.`));
        });
      });
    }
  }

  /** That have begun, the waiting ones included. */
  get calls(): number {
    return this.#calls;
  }

  /** The last attempt to connect failed and the next one is not due yet: until then every call fails at once. */
  get isBackingOff(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === connectivityState.TRANSIENT_FAILURE;
  }

  duplex<Request, Response>(
    method: ClientMethod<Request, Response>,
    turn: Turn,
  ): ClientDuplexStream<Request, Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const call = this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, this.#metadata());
    // However it ends, and once.
    return call.once('status', turn.end);
  }

  readable<Request, Response>(
    method: ClientMethod<Request, Response>,
    request: Request,
    turn: Turn,
  ): ClientReadableStream<Response> {
    const { path, requestSerialize, responseDeserialize } = method;
    const metadata = this.#metadata();
    const call = this.#client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, metadata);
    return call.once('status', turn.end);
  }

  follow(call: ConstructorParameters<typeof CallLife>[0], signal: AbortSignal): CallLife {
    return new CallLife(call, signal, (error) => this.#explain(error));
  }

  /** A small call. @throws StorageError TIMEOUT, and whatever the peer answers */
  async unary<Request, Response>(
    method: ClientMethod<Request, Response>,
    request: Request,
    options: CallOptions,
  ): Promise<Response> {
    const { signal } = options;
    const turn = await this.begin(signal);
    const deadline = Date.now() + (options.timeoutMs ?? this.#options.callTimeoutMs ?? CALL_TIMEOUT_MS);
    return await new Promise<Response>((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      const call = this.#client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        this.#metadata(),
        { deadline },
        (error, response) => {
          turn.end();
          stopListening();
          if (error !== null) reject(this.#explain(error));
          else if (response === undefined) reject(new StorageError('CORRUPT', `${this.name} answered with nothing.`));
          else resolve(response);
        },
      );
      const stopListening = onAbort(signal, () => {
        reject(signal.reason as Error);
        call.cancel();
      });
    });
  }

  #metadata(): Metadata {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(requestHeaders())) metadata.set(name, value);
    const { peer, tls } = this.#options;
    if (peer.socket !== undefined) metadata.set(CERTIFICATE_HEADER, escapeCertificate(tls.certificate));
    return metadata;
  }

  #connect(peer: RemotePeer): Client {
    const overTls = channelCredentials(this.#options.tls, peer.id, (error) => {
      this.#impostor = error;
    });
    return new Client(peer.address, overTls, channelOptions(peer));
  }

  #explain(error: ServiceError): StorageError {
    const explained = fromServiceError(error, this.name);
    if (explained.code !== 'UNAVAILABLE') return explained;
    if (this.peer.socket !== undefined) {
      const message = `${explained.message} If it does not run, start it with \`shoal serve file-receiver\`.`;
      return new StorageError('UNAVAILABLE', message, { cause: error });
    }
    if (this.#impostor !== undefined) return this.#impostor;
    // grpc-js hands the reason of a failed handshake on as text only. All of OpenSSL's that speak of certificates do so
    // by that word, or name the authority.
    if (!/certificate|unknown ca/i.test(error.details)) return explained;
    return new StorageError(
      'UNAUTHENTICATED',
      `${this.name} could not prove that it is a peer of this network, or did not believe that we are: ${explained.message}`,
      { cause: error },
    );
  }

  close(): Promise<void> {
    this.#client.close();
    return Promise.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
