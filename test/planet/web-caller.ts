import assert from 'node:assert/strict';
import http from 'node:http';
import type { ProblemReply } from '../../src/gateways/http/api.js';
import type { SessionReply } from '../../src/gateways/http/web-api.js';

export interface WebAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface WebCall {
  readonly json?: unknown;
  readonly bytes?: Uint8Array;
  /** undefined takes one of the usual ones away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** A browser as servers see it: it keeps cookies, and says what page asks; nothing stops it from lying. */
export class WebCaller {
  readonly port: number;
  cookie: string | undefined;
  csrf: string | undefined;
  /** Of a program, instead of a cookie. */
  authorization: string | undefined;

  constructor(port: number) {
    this.port = port;
  }

  get host(): string {
    return `127.0.0.1:${String(this.port)}`;
  }

  /** A request whose body is the caller's to write. */
  open(method: string, path: string, headers: WebCall['headers'] = {}): http.ClientRequest {
    const usual = {
      host: this.host,
      origin: method === 'GET' || method === 'HEAD' ? undefined : `http://${this.host}`,
      'sec-fetch-site': 'same-origin',
      cookie: this.cookie,
      authorization: this.authorization,
      'x-shoal-csrf': this.csrf,
    };
    const all = Object.entries({ ...usual, ...headers }).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value] as const],
    );
    const options = { host: '127.0.0.1', port: this.port, method, path, setHost: false, agent: false as const };
    return http.request({ ...options, headers: Object.fromEntries(all) });
  }

  async ask(method: string, path: string, { json, bytes, headers }: WebCall = {}): Promise<WebAnswer> {
    const body = json === undefined ? bytes : JSON.stringify(json);
    const type = json === undefined ? 'application/octet-stream' : 'application/json';
    const length = body === undefined ? undefined : String(Buffer.byteLength(body));
    const own = body === undefined ? {} : { 'content-type': type, 'content-length': length };
    const request = this.open(method, path, { ...own, ...headers });
    request.end(body);
    return await answerTo(request);
  }

  async json<T>(method: string, path: string, call?: WebCall): Promise<T> {
    const { status, body } = await this.ask(method, path, call);
    assert.equal(status, 200, body.toString());
    return JSON.parse(body.toString()) as T;
  }

  async signIn(name: string, passphrase: string): Promise<SessionReply> {
    return this.#signedIn(await this.ask('POST', '/api/v1/session', { json: { name, passphrase } }));
  }

  async signInBy(link: string): Promise<SessionReply> {
    return this.#signedIn(await this.ask('POST', '/api/v1/session/link', { json: { link } }));
  }

  #signedIn({ status, headers, body }: WebAnswer): SessionReply {
    assert.equal(status, 200, body.toString());
    const reply = JSON.parse(body.toString()) as SessionReply;
    this.cookie = headers['set-cookie']?.[0]?.split(';')[0];
    this.csrf = reply.csrf ?? undefined;
    return reply;
  }
}

/** @throws what the connection fails with */
export async function answerTo(request: http.ClientRequest): Promise<WebAnswer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts) });
      });
    });
  });
}

export function problemIn({ body }: WebAnswer): ProblemReply {
  return JSON.parse(body.toString()) as ProblemReply;
}
