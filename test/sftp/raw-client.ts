import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Client, type ClientChannel, type ConnectConfig } from 'ssh2';
import { readPackets } from '../../src/gateways/sftp/packet-reader.js';
import { REPLY, REQUEST } from '../../src/gateways/sftp/protocol.js';

/** A reply without its id. */
export interface RawReply {
  readonly type: number;
  /** Of a STATUS; else undefined. */
  readonly status: number | undefined;
  /** Of a STATUS. */
  readonly message: string;
  readonly body: Buffer;
}

export const text = (value: string | Uint8Array): Buffer => {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
};

export function uint32(value: number): Buffer {
  const encoded = Buffer.alloc(4);
  encoded.writeUInt32BE(value);
  return encoded;
}

export function uint64(value: bigint | number): Buffer {
  const encoded = Buffer.alloc(8);
  encoded.writeBigUInt64BE(BigInt(value));
  return encoded;
}

/** No attributes. */
export const NONE = uint32(0);

/** SFTP as it is on the wire, so that a test can send what no good client would. */
export class RawClient implements AsyncDisposable {
  readonly connection: Client;
  readonly channel: ClientChannel;
  readonly #waiting = new Map<number, (reply: RawReply) => void>();
  #next = 1;
  /** What came on standard error. */
  stderr = '';
  /** The channel has ended. */
  readonly ended: Promise<void>;

  private constructor(connection: Client, channel: ClientChannel) {
    this.connection = connection;
    this.channel = channel;
    channel.stderr.on('data', (part: Buffer) => (this.stderr += part.toString()));
    this.ended = this.#read();
  }

  static async connect(config: ConnectConfig): Promise<Client> {
    const connection = new Client();
    const ready = new Promise<void>((resolve, reject) => {
      connection.once('ready', resolve).on('error', reject);
      connection.once('close', () => {
        reject(new Error('closed'));
      });
    });
    connection.connect({ host: '127.0.0.1', ...config });
    await ready;
    return connection;
  }

  static async open(config: ConnectConfig): Promise<RawClient> {
    const connection = await RawClient.connect(config);
    const channel = await new Promise<ClientChannel>((resolve, reject) => {
      connection.subsys('sftp', (error, opened) => {
        if (error === undefined) resolve(opened);
        else reject(error);
      });
    });
    const client = new RawClient(connection, channel);
    channel.write(Buffer.concat([uint32(5), Buffer.from([REQUEST.INIT]), uint32(3)]));
    return client;
  }

  send(type: number, ...fields: readonly Uint8Array[]): number {
    const id = this.#next++;
    const body = Buffer.concat([Buffer.from([type]), uint32(id), ...fields]);
    this.channel.write(Buffer.concat([uint32(body.length), body]));
    return id;
  }

  ask(type: number, ...fields: readonly Uint8Array[]): Promise<RawReply> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(this.send(type, ...fields), resolve);
      void this.ended.then(() => {
        reject(new Error('The channel has ended.'));
      });
    });
  }

  /** @returns the handle, as a field */
  async handle(type: number, ...fields: readonly Uint8Array[]): Promise<Buffer> {
    const reply = await this.ask(type, ...fields);
    assert.equal(reply.type, REPLY.HANDLE, reply.message);
    return reply.body;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.connection, 'close');
    this.connection.end();
    await closed;
  }

  async #read(): Promise<void> {
    try {
      for await (const packet of readPackets(this.channel)) {
        const type = packet.readUInt8(0);
        if (type === REPLY.VERSION) continue;
        const id = packet.readUInt32BE(1);
        const body = packet.subarray(5);
        const status = type === REPLY.STATUS ? body.readUInt32BE(0) : undefined;
        const message = type === REPLY.STATUS ? body.subarray(8, 8 + body.readUInt32BE(4)).toString() : '';
        this.#waiting.get(id)?.({ type, status, message, body });
        this.#waiting.delete(id);
      }
    } catch {
      // The connection was cut, which the test has done or sees by itself.
    }
  }
}
