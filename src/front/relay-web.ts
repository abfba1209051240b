import type { IncomingMessage, ServerResponse } from 'node:http';
import { certificateToPem } from '../crypto/certificates.js';
import { ERRORS, StorageError } from '../errors.js';
import type { Logger } from '../log.js';
import { CERTIFICATE_HEADER, escapeCertificate } from '../wire/admission.js';
import { type CouchTarget, forwardToCouch } from '../wire/couch-route.js';
import { relayRequest } from '../wire/relay-request.js';
import { refuseWeb, type OpenHandler, type WebHandler } from '../wire/web-server.js';
import { askFrontAuth } from './front-auth.js';
import type { RouteLimits } from './routes.js';

export interface CouchRelayOptions {
  /** Of front-auth.ts. */
  readonly authSocket: string;
  readonly target: CouchTarget;
  /** Of a caller that WebServer let in, PEM. */
  readonly certificateOf: (request: IncomingMessage) => string;
  readonly logger: Logger;
}

/** `/couchdb/` of the built-in front: as nginx does it, with a question first. */
export function couchRelay({ authSocket, target, certificateOf, logger }: CouchRelayOptions): WebHandler {
  return (visit) => {
    const { request, response } = visit;
    const { method = '', url = '' } = request;
    askFrontAuth(authSocket, { method, uri: url, certificate: certificateOf(request) })
      .then((passage) => forwardToCouch(visit, passage, { target, logger }))
      .catch((error: unknown) => refuse(response, error, logger));
  };
}

function refuse(response: ServerResponse, error: unknown, logger: Logger): void {
  if (response.destroyed) return;
  const known = error instanceof StorageError ? error : new StorageError('INTERNAL', 'The front failed.');
  if (known !== error) logger.error({ err: error }, 'request failed');
  refuseWeb(response, ERRORS[known.code].http, known.code.toLowerCase(), known.message);
}

export interface WebRelayOptions {
  readonly socket: string;
  readonly limits: RouteLimits;
  /** Who should be there, and how it is started. */
  readonly absence: string;
  readonly logger: Logger;
}

/** HTTP/1.1 to a unix socket, with the verified certificate or none. */
export function webRelay({ socket, limits, absence, logger }: WebRelayOptions): OpenHandler {
  return (request, response, { certificate }) => {
    const shown = certificate === undefined ? '' : escapeCertificate(certificateToPem(certificate));
    relayRequest(
      { request, response },
      {
        place: { socketPath: socket },
        path: request.url ?? '/',
        headers: { host: 'localhost', [CERTIFICATE_HEADER]: shown },
        bodyBytes: limits.bodyBytes ?? Infinity,
        idleMs: limits.idleMs,
      },
    ).catch((error: unknown) => refuse(response, isAbsence(error) ? absent(absence, error) : error, logger));
  };
}

function isAbsence(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ECONNREFUSED');
}

function absent(absence: string, cause: unknown): StorageError {
  return new StorageError('UNAVAILABLE', absence, { cause });
}
