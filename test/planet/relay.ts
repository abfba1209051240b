import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

/** The wire in front of a peer: a TCP relay that can be cut, stalled or slowed down while connections are open. */
export class Relay implements AsyncDisposable {
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();
  #target: number | undefined;
  #blocked: ReadonlySet<string> = new Set();
  #flowing = gate();
  /** Time that every piece of bytes waits on its way, in either direction. */
  delayMs = 0;
  /** Bytes towards the peer after which the wire breaks, for good. */
  cutAfterBytes = Infinity;

  private constructor() {
    this.#flowing.resolve(undefined);
    this.#server.on('connection', (client: Socket) => {
      this.#relay(client);
    });
  }

  static async open(): Promise<Relay> {
    const relay = new Relay();
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** New connections go to this port of the machine; without one they are closed at once. */
  lead(target: number | undefined): void {
    this.#target = target;
  }

  /** Breaks every connection, as when a machine loses its power. */
  cut(): void {
    this.#target = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Whoever connects from these addresses of the machine does not get through, and is cut off at once; nobody else is. */
  block(addresses: ReadonlySet<string>): void {
    this.#blocked = addresses;
    for (const socket of this.#sockets) if (addresses.has(socket.remoteAddress ?? '')) socket.destroy();
  }

  /** Connections stay open, new ones are accepted, and not a byte passes: as when a machine hangs. */
  stall(): void {
    this.#flowing = gate();
  }

  flow(): void {
    this.#flowing.resolve(undefined);
    this.delayMs = 0;
    this.cutAfterBytes = Infinity;
    this.#blocked = new Set();
  }

  #relay(client: Socket): void {
    this.#keep(client);
    if (this.#target === undefined || this.#blocked.has(client.remoteAddress ?? '')) {
      client.destroy();
      return;
    }
    const server = connect(this.#target, '127.0.0.1');
    this.#keep(server);
    const ways = [
      pipeline(client, (bytes) => this.#pass(bytes as AsyncIterable<Buffer>, true), server),
      pipeline(server, (bytes) => this.#pass(bytes as AsyncIterable<Buffer>, false), client),
    ];
    // A broken connection is what a relay is for.
    for (const way of ways) way.catch(() => undefined);
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  async *#pass(bytes: AsyncIterable<Buffer>, counted: boolean): AsyncGenerator<Buffer> {
    for await (const piece of bytes) {
      await this.#flowing.promise;
      if (this.delayMs > 0) await delay(this.delayMs);
      if (counted) this.cutAfterBytes -= piece.length;
      if (this.cutAfterBytes < 0) this.cut();
      yield piece;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.flow();
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

interface Gate {
  readonly promise: Promise<undefined>;
  resolve(value: undefined): void;
}

function gate(): Gate {
  let resolve: Gate['resolve'] = () => undefined;
  const promise = new Promise<undefined>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}
