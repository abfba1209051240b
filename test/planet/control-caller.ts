import assert from 'node:assert/strict';
import http from 'node:http';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { answerTo, problemIn, type WebAnswer, type WebCall } from './web-caller.js';

/** Whoever asks at the control socket of a peer, as the command line does. */
export class ControlCaller {
  readonly socket: string;

  constructor(socket: string) {
    this.socket = socket;
  }

  /** A request whose body is the caller's to write. */
  open(method: string, path: string, headers: WebCall['headers'] = {}): http.ClientRequest {
    return http.request({ socketPath: this.socket, method, path, headers, agent: false });
  }

  ask(method: string, path: string, { json, bytes, headers }: WebCall = {}): Promise<WebAnswer> {
    const body = json === undefined ? bytes : JSON.stringify(json);
    const type = json === undefined ? 'application/octet-stream' : 'application/json';
    const request = this.open(method, path, { ...(body === undefined ? {} : { 'content-type': type }), ...headers });
    request.end(body);
    return answerTo(request);
  }

  async json<T>(method: string, path: string, call?: WebCall): Promise<T> {
    const { status, body } = await this.ask(method, path, call);
    assert.equal(status, 200, body.toString());
    return JSON.parse(body.toString()) as T;
  }

  /** What is told line by line. */
  async lines(path: string, call: WebCall): Promise<Record<string, unknown>[]> {
    const { body } = await this.ask('POST', path, call);
    return body
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }
}

/** A failure is told with its status, its code and what to do, and nothing else. */
export async function assertProblem(code: ErrorCode, answering: Promise<WebAnswer>): Promise<void> {
  const answer = await answering;
  const problem = problemIn(answer);
  assert.equal(problem.code, code, problem.message);
  assert.equal(answer.status, ERRORS[code].http);
  assert.deepEqual(Object.keys(problem), ['code', 'message']);
}
