import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { pipeline } from 'node:stream/promises';

/** A server on a unix socket that hands every request on to another one, and may change the documents in its answers. */
export class TamperingServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #target: string;
  /** What is said instead of the text of an answer with documents. */
  alter: ((text: string) => string) | undefined;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((asked, reply) => {
      // Whoever asks goes away in the middle of a wait for changes.
      this.#pass(asked, reply).catch(() => reply.destroy());
    });
  }

  static async open(socket: string, target: string): Promise<TamperingServer> {
    const tampering = new TamperingServer(target);
    tampering.#server.listen(socket);
    await once(tampering.#server, 'listening');
    return tampering;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #pass(asked: IncomingMessage, reply: ServerResponse): Promise<void> {
    const { method, url = '', headers } = asked;
    const onward = request({ socketPath: this.#target, method, path: url, headers, agent: false });
    reply.once('close', () => onward.destroy());
    const answered = once(onward, 'response') as Promise<[IncomingMessage]>;
    const [, [answer]] = await Promise.all([pipeline(asked, onward), answered]);
    const { statusCode = 502, headers: own } = answer;
    if (this.alter === undefined || !url.includes('/_bulk_get')) {
      reply.writeHead(statusCode, own);
      await pipeline(answer, reply);
      return;
    }
    const parts: Buffer[] = [];
    for await (const part of answer) parts.push(part as Buffer);
    const text = this.alter(Buffer.concat(parts).toString());
    reply.writeHead(statusCode, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
    reply.end(text);
  }
}
