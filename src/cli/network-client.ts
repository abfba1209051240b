import type {
  DrainReply,
  InvitationReply,
  InvitedReply,
  InviteRequest,
  NetworkReply,
  OwnRequest,
  PeerReply,
} from '../gateways/http/network-api.js';
import { ControlConnection, type ControlRequest } from './control-connection.js';

/** The control API about the network and its peers (src/gateways/http/network-api.ts), as ControlClient is for the rest. */
export class NetworkClient implements AsyncDisposable {
  readonly #connection: ControlConnection;
  readonly #signal: AbortSignal;

  constructor(home: string, signal: AbortSignal) {
    this.#connection = new ControlConnection(home);
    this.#signal = signal;
  }

  network(): Promise<NetworkReply> {
    return this.#json({ method: 'GET', route: '/v1/network' });
  }

  peers(): Promise<readonly PeerReply[]> {
    return this.#json({ method: 'GET', route: '/v1/peers' });
  }

  removePeer(peer: string): Promise<PeerReply> {
    return this.#json({ method: 'POST', route: '/v1/peers/remove', body: { json: { peer } } });
  }

  drainPeer(request: {
    readonly peer: string;
    readonly force: boolean;
    readonly cancel: boolean;
  }): Promise<DrainReply> {
    return this.#json({ method: 'POST', route: '/v1/peers/drain', body: { json: request } });
  }

  drainOf(peer: string): Promise<DrainReply> {
    return this.#json({ method: 'GET', route: '/v1/peers/drain', query: { peer } });
  }

  setOwn(request: OwnRequest): Promise<PeerReply> {
    return this.#json({ method: 'POST', route: '/v1/peer', body: { json: request } });
  }

  invitations(): Promise<readonly InvitationReply[]> {
    return this.#json({ method: 'GET', route: '/v1/invitations' });
  }

  invite(request: InviteRequest): Promise<InvitedReply> {
    return this.#json({ method: 'POST', route: '/v1/invitations', body: { json: request } });
  }

  revoke(id: string): Promise<void> {
    return this.#json({ method: 'DELETE', route: '/v1/invitations', query: { id } });
  }

  close(): Promise<void> {
    return this.#connection.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #json<Reply>(request: Omit<ControlRequest, 'signal'>): Promise<Reply> {
    return (await this.#connection.json({ ...request, signal: this.#signal })) as Reply;
  }
}
