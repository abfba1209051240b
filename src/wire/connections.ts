import type { Server, Socket } from 'node:net';
import { MAX_CONNECTIONS_PER_ADDRESS } from '../limits.js';
import { addressBlock } from './address-block.js';
import { InProgress } from './in-progress.js';

/**
 * The connections of a server, from the moment they are accepted: one that is in the middle of its TLS handshake is neither a
 * session nor a request yet, and a server that closes waits for it, too.
 */
export class Connections {
  readonly #open = new Set<Socket>();
  readonly #perAddress = new InProgress<string>(MAX_CONNECTIONS_PER_ADDRESS);
  #isSevered = false;

  /** Follows what `server` accepts from now on, and bounds it. Unix sockets have no addresses: who opens them is trusted. */
  constructor(server: Server) {
    server.on('connection', (socket: Socket) => {
      if (this.#isSevered || !this.#count(socket)) socket.destroy();
      else this.#follow(socket);
    });
  }

  /** Cuts those that are open, and those that come in the time that is left. */
  sever(): void {
    this.#isSevered = true;
    for (const socket of this.#open) socket.destroy();
  }

  #follow(socket: Socket): void {
    this.#open.add(socket);
    socket.once('close', () => this.#open.delete(socket));
  }

  /** @returns false for one too many of its address */
  #count(socket: Socket): boolean {
    const { remoteAddress } = socket;
    if (remoteAddress === undefined) return true;
    const end = this.#perAddress.begin(addressBlock(remoteAddress));
    if (end === undefined) return false;
    socket.once('close', end);
    return true;
  }
}
