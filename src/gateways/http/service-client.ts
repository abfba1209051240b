import http from 'node:http';
import { text } from 'node:stream/consumers';
import { isErrorCode, StorageError } from '../../errors.js';
import { serviceMissing, type Service } from '../../services/service-names.js';
import { onAbort } from '../../on-abort.js';
import { requestHeaders } from '../../request-context.js';

export interface ServiceCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: http.OutgoingHttpHeaders;
  readonly signal: AbortSignal;
}

/**
 * HTTP to the control socket of a service in another process of this home. A connection for each request: on a unix socket
 * it costs little, and none is left over from before a restart.
 */
export class ServiceClient {
  readonly service: Service;
  readonly #socket: string;

  constructor(service: Service, socket: string) {
    this.service = service;
    this.#socket = socket;
  }

  /**
   * @param send writes and ends the request
   * @returns the answer, whatever its status; it has to be read or destroyed
   * @throws StorageError UNAVAILABLE that names the service; `signal.reason` on abort
   */
  async open(call: ServiceCall, send: (outgoing: http.ClientRequest) => void): Promise<http.IncomingMessage> {
    const { method, path, headers = {}, signal } = call;
    signal.throwIfAborted();
    // A server that answers early, and is to close, would cut the connection before the answer has been read.
    const all = { ...headers, ...requestHeaders(), connection: 'keep-alive' };
    const outgoing = http.request({ socketPath: this.#socket, method, path, headers: all, agent: false });
    const stopListening = onAbort(signal, () => outgoing.destroy());
    outgoing.once('close', stopListening);
    try {
      return await new Promise((resolve, reject) => {
        outgoing.once('response', resolve);
        // It stays: what comes after the response is told by the response's own stream too.
        outgoing.on('error', reject);
        send(outgoing);
      });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw this.explain(error);
    }
  }

  /** A small call. @throws StorageError as the service says it */
  async json(call: Omit<ServiceCall, 'headers'>, body?: unknown): Promise<unknown> {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' };
    const response = await this.open({ ...call, headers }, (outgoing) =>
      outgoing.end(body === undefined ? undefined : JSON.stringify(body)),
    );
    try {
      const reply = await text(response);
      const value: unknown = reply === '' ? undefined : JSON.parse(reply);
      if ((response.statusCode ?? 500) < 400) return value;
      throw problemOf(value) ?? serviceMissing(this.service, 'does not answer');
    } catch (error) {
      if (error instanceof StorageError) throw error;
      throw call.signal.aborted ? call.signal.reason : this.explain(error);
    }
  }

  /** @param error of the connection */
  explain(error: unknown): StorageError {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const never = code === 'ENOENT' || code === 'ECONNREFUSED';
    return serviceMissing(this.service, never ? 'does not answer' : 'broke off', error);
  }
}

function problemOf(value: unknown): StorageError | undefined {
  if (typeof value !== 'object' || value === null || !('code' in value) || !('message' in value)) return undefined;
  const { code, message } = value;
  return isErrorCode(code) && typeof message === 'string' ? new StorageError(code, message) : undefined;
}
