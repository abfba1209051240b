import { request as requestHttp, type IncomingMessage } from 'node:http';
import { ERRORS, StorageError } from '../errors.js';
import { CONNECT_TIMEOUT_MS } from '../limits.js';
import type { Logger } from '../log.js';
import { CERTIFICATE_HEADER, escapeCertificate } from '../wire/admission.js';
import {
  type CouchIdentity,
  couchIdentity,
  type CouchPassage,
  couchPath,
  type CouchTrust,
  IDENTITY_HEADERS,
} from '../wire/couch-route.js';
import { refuseWeb, type WebHandler, type WebVisit } from '../wire/web-server.js';

/** What a front asks with, besides CERTIFICATE_HEADER: the request as the client sent it. */
export const METHOD_HEADER = 'x-shoal-method';
export const URI_HEADER = 'x-shoal-uri';
/** The answer, with IDENTITY_HEADERS: the path for CouchDB. */
export const PATH_HEADER = 'x-shoal-path';
/** With a 403 for a path that is nobody's: nginx's auth_request knows no 404. */
export const REFUSAL_HEADER = 'x-shoal-refusal';
export const NOT_FOUND_REFUSAL = 'not-found';

/**
 * Says on the socket FRONT_AUTH whether a request to CouchDB may pass, by which path and as whom. Who asks is known by the
 * header, so this is for a WebServer on a unix socket.
 *
 * @param trust asked for each request that has a path; undefined where this peer is no backup host
 */
export function frontAuth(trust: () => Promise<CouchTrust | undefined>, logger: Logger): WebHandler {
  const answer = async ({ request, response, peer }: WebVisit): Promise<void> => {
    const path = couchPath(header(request, METHOD_HEADER), header(request, URI_HEADER));
    const known = path === undefined ? undefined : await trust();
    if (path === undefined || known === undefined) {
      response.setHeader(REFUSAL_HEADER, NOT_FOUND_REFUSAL);
      refuseWeb(response, ERRORS.PERMISSION_DENIED.http, 'not_found', NOTHING_HERE);
      return;
    }
    response.writeHead(204, { ...couchIdentity(known, peer), [PATH_HEADER]: path });
    response.end();
  };
  return (visit) => {
    answer(visit).catch((error: unknown) => {
      logger.warn({ err: error }, 'nobody can be let in to CouchDB');
      refuseWeb(visit.response, 503, 'unavailable', 'The backup database cannot be asked now.');
    });
  };
}

const NOTHING_HERE = 'There is nothing here.';

function header({ headers }: IncomingMessage, name: string): string {
  const value = headers[name];
  return typeof value === 'string' ? value : '';
}

export interface AuthQuestion {
  readonly method: string;
  readonly uri: string;
  /** Verified, PEM. */
  readonly certificate: string;
}

/**
 * Asks as nginx's auth_request does.
 *
 * @throws StorageError NOT_FOUND for a path that is nobody's, UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE
 */
export async function askFrontAuth(socket: string, question: AuthQuestion): Promise<CouchPassage> {
  const answer = await ask(socket, question);
  answer.resume();
  const status = answer.statusCode ?? 0;
  if (status === 204) return passageFrom(answer);
  if (status === 401) throw new StorageError('UNAUTHENTICATED', 'A valid certificate of this network is needed.');
  if (header(answer, REFUSAL_HEADER) === NOT_FOUND_REFUSAL) throw new StorageError('NOT_FOUND', NOTHING_HERE);
  if (status === 403) throw new StorageError('PERMISSION_DENIED', 'You are not a member of this network.');
  throw new StorageError('UNAVAILABLE', 'The backup database of this peer cannot be asked now.');
}

function ask(socket: string, { method, uri, certificate }: AuthQuestion): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = requestHttp({
      socketPath: socket,
      path: '/',
      headers: {
        host: 'localhost',
        [CERTIFICATE_HEADER]: escapeCertificate(certificate),
        [METHOD_HEADER]: method,
        [URI_HEADER]: uri,
      },
      timeout: CONNECT_TIMEOUT_MS,
      agent: false,
    });
    asked.once('response', resolve);
    asked.once('timeout', () => asked.destroy());
    asked.once('error', (error) => {
      const why = 'The process that knows the members of this network does not answer: start it with `shoal serve`.';
      reject(new StorageError('UNAVAILABLE', why, { cause: error }));
    });
    asked.end();
  });
}

function passageFrom(answer: IncomingMessage): CouchPassage {
  const identity = Object.fromEntries(IDENTITY_HEADERS.map((name) => [name, header(answer, name)])) as CouchIdentity;
  return { path: header(answer, PATH_HEADER), identity };
}
