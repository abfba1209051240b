import { Agent } from 'node:https';
import type { PeerId } from '../chunk/ids.js';
import { httpCall, type HttpCall, type HttpReply } from '../http-call.js';
import { WEB_KEEP_ALIVE_MS } from '../limits.js';
import { expectPeer, secureContextOptions, type TlsIdentity } from './tls.js';

export interface PeerWebOptions {
  readonly id: PeerId;
  /** "host:port" of its front. */
  readonly address: string;
  /** Ours. */
  readonly tls: TlsIdentity;
  /** Before every path: "/couchdb". */
  readonly prefix: string;
}

/** HTTP/1.1 to one peer, with our certificate, and to nobody else at its address. */
export class PeerWeb implements Disposable {
  readonly #options: PeerWebOptions;
  #agent: Agent;
  /** Ours, that the agent shows. */
  #certificate: string;

  constructor(options: PeerWebOptions) {
    this.#options = options;
    this.#agent = openAgent(options);
    this.#certificate = options.tls.certificate;
  }

  /** An HttpSend. */
  readonly send = (call: HttpCall): Promise<HttpReply> => {
    const { id, address, prefix, tls } = this.#options;
    if (tls.certificate !== this.#certificate) this.#renew();
    const { hostname, port } = new URL(`https://${address}`);
    const place = {
      protocol: 'https:',
      hostname: hostname.replace(/^\[|\]$/g, ''),
      port: port || 443,
      agent: this.#agent,
    };
    return httpCall(place, { ...call, path: prefix + call.path }, `peer ${id.slice(0, 12)}…`);
  };

  close(): void {
    this.#agent.destroy();
  }

  /** Connections with the former certificate end when their requests do. */
  #renew(): void {
    this.#agent = openAgent(this.#options);
    this.#certificate = this.#options.tls.certificate;
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function openAgent({ id, tls }: PeerWebOptions): Agent {
  return new Agent({
    ...secureContextOptions(tls),
    // Shorter than the server's own patience, so that no request meets a connection that is just being closed.
    keepAlive: true,
    keepAliveMsecs: WEB_KEEP_ALIVE_MS,
    timeout: WEB_KEEP_ALIVE_MS,
    // A resumed session shows no certificate, and then nobody would compare it.
    maxCachedSessions: 0,
    checkServerIdentity: expectPeer(id, () => undefined),
    // Not a host name of DNS: certificates are compared by key.
    servername: '',
  });
}
