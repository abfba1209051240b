import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { seededRandom } from '../../src/durability/random.js';
import { DelayLine } from './delay-line.js';
import { addressKey, destinationOf } from './packet.js';

/** Of the link between any two hosts. */
export interface Weather {
  /** One way. */
  readonly delayMs: number;
  /** Of all packets, each way, from 0 to 1. */
  readonly loss: number;
  /** Of what each host may send; absent: no bound. */
  readonly bytesPerSecond?: number;
}

interface Port {
  readonly name: string;
  readonly socket: Socket;
  /** Where the host's end is, once it has sent something. */
  end: number | undefined;
  addresses: readonly string[];
  /** When all that it has sent is on the wire, by its bound. */
  freeMs: number;
}

/** Bytes of a device's queue; what comes while it is full is dropped, and TCP slows down (RFC 5681). */
const QUEUE_BYTES = 4 * 2 ** 20;
const SOCKET_BUFFER_BYTES = 4 * 2 ** 20;

/**
 * The network between the lab's hosts: IP packets come in as datagrams on the loopback interface, one socket for each host,
 * and leave for the host whose address they bear, late, or never. A kernel's netem does the same where it is compiled in.
 */
export class Switch implements Disposable {
  readonly #ports = new Map<string, Port>();
  readonly #line = new DelayLine<{ readonly packet: Buffer; readonly to: Port }>(({ packet, to }) => {
    // A host that has not sent anything, or is gone, hears nothing.
    if (to.end !== undefined) to.socket.send(packet, to.end, '127.0.0.1', () => undefined);
  });
  /** The same losses in every run. */
  readonly #random = seededRandom(1);
  #weather: Weather = { delayMs: 0, loss: 0 };
  #groupOf = new Map<string, number>();
  dropped = 0;
  forwarded = 0;

  set weather(weather: Weather) {
    this.#weather = weather;
  }

  /** @returns the port on the loopback interface that the host's end sends to */
  async connect(name: string, addresses: readonly string[]): Promise<number> {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    socket.setRecvBufferSize(SOCKET_BUFFER_BYTES);
    socket.setSendBufferSize(SOCKET_BUFFER_BYTES);
    const port: Port = { name, socket, end: undefined, addresses: addresses.map(addressKey), freeMs: 0 };
    this.#ports.set(name, port);
    socket.on('message', (packet, { port: end }) => {
      port.end = end;
      this.#forward(packet, port);
    });
    return socket.address().port;
  }

  readdress(name: string, addresses: readonly string[]): void {
    const port = this.#ports.get(name);
    if (port !== undefined) port.addresses = addresses.map(addressKey);
  }

  /** Hosts of different groups do not hear each other; who is in none hears nobody. */
  partition(...groups: readonly (readonly string[])[]): void {
    this.#groupOf = new Map(groups.flatMap((group, index) => group.map((name) => [name, index] as const)));
  }

  heal(): void {
    this.#groupOf.clear();
  }

  [Symbol.dispose](): void {
    this.#line[Symbol.dispose]();
    for (const { socket } of this.#ports.values()) socket.close();
    this.#ports.clear();
  }

  #forward(packet: Buffer, from: Port): void {
    const key = destinationOf(packet);
    const to = [...this.#ports.values()].find(({ addresses }) => key !== undefined && addresses.includes(key));
    const wait = this.#queue(packet.length, from);
    if (to === undefined || !this.#hears(from, to) || this.#random() < this.#weather.loss || wait === undefined) {
      this.dropped++;
      return;
    }
    this.forwarded++;
    this.#line.push({ packet, to }, wait + this.#weather.delayMs);
  }

  /** @returns milliseconds until the packet has been sent; undefined where the queue is full */
  #queue(bytes: number, from: Port): number | undefined {
    const { bytesPerSecond } = this.#weather;
    if (bytesPerSecond === undefined) return 0;
    const nowMs = performance.now();
    const wait = Math.max(0, from.freeMs - nowMs);
    if ((wait / 1000) * bytesPerSecond > QUEUE_BYTES) return undefined;
    from.freeMs = nowMs + wait + (bytes / bytesPerSecond) * 1000;
    return wait;
  }

  #hears(from: Port, to: Port): boolean {
    if (this.#groupOf.size === 0) return true;
    const group = this.#groupOf.get(from.name);
    return group !== undefined && group === this.#groupOf.get(to.name);
  }
}
