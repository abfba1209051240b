import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP relay to a port of this machine that cuts the connection after so many bytes towards the server. */
export class CutProxy implements AsyncDisposable {
  readonly #server = createServer();
  readonly #sockets = new Set<Socket>();
  readonly #target: number;
  /** Bytes that still pass, in the direction that is counted. */
  passBytes = Infinity;
  readonly #counted: 'up' | 'down';

  private constructor(target: number, counted: 'up' | 'down') {
    this.#target = target;
    this.#counted = counted;
    this.#server.on('connection', (client: Socket) => {
      this.#relay(client);
    });
  }

  static async open(target: number, counted: 'up' | 'down'): Promise<CutProxy> {
    const proxy = new CutProxy(target, counted);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #relay(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const both = [client, server];
    for (const socket of both) {
      this.#sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        for (const one of both) one.destroy();
      });
    }
    const counted = this.#counted === 'up' ? client : server;
    counted.on('data', (bytes: Buffer) => {
      this.passBytes -= bytes.length;
      if (this.passBytes < 0) client.destroy();
    });
    client.pipe(server).pipe(client);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
