import { once } from 'node:events';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Catalog, Entry, Manifest, Session } from '../../catalog/catalog.js';
import { assert, StorageError } from '../../errors.js';
import { putFiles, type PutFile, type PutResult } from '../../file/put.js';
import { readFile, type ReadRange } from '../../file/read.js';
import type { ProblemReply } from './api.js';
import { judge, preconditionsOf, rangeCounts, tagOf, type Validators } from './conditions.js';
import { contentHeaders } from './content-headers.js';
import { putReply } from './replies.js';
import { check, rangeOf, REQUESTS } from './requests.js';
import { signalOf, type ReceiverParts, type Routes, type SenderParts } from './routes.js';

const DEFAULT_MODE = 0o644;

/** The bytes of a file that is put, streamed. */
export function uploadRoutes(server: FastifyInstance, routes: Routes, { engine }: SenderParts): void {
  server.put('/v1/content', async (request, reply) => {
    const { path, modified, mode } = check(REQUESTS.upload, request.query);
    const session = routes.sessionOf(request);
    const body = request.body;
    if (!(body instanceof Readable))
      throw new StorageError('INVALID_ARGUMENT', 'The body must be application/octet-stream.');
    const signal = signalOf(routes, reply, session);
    const isMet = await conditionHolds(engine.catalog, session, path, request);
    // Meanwhile nobody looked at it.
    signal.throwIfAborted();
    if (!isMet) throw unmet(path);
    const file: PutFile = {
      ...{ path, modifiedMs: Math.max(modified ?? Date.now(), 0), mode: mode ?? DEFAULT_MODE },
      // Destroyed with the iteration, the request would take its connection, and the answer, with it.
      source: body.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>,
      onlyIf: preconditionsOf(request.headers),
    };
    let result: PutResult | StorageError | undefined;
    void routes.track(once(reply.raw, 'close'));
    await routes.track(
      putFiles(engine, session, one(file), {
        signal,
        onStored: (_file, stored) => {
          result = stored;
        },
        onFailed: (_file, error) => {
          result = error;
        },
      }),
    );
    if (result instanceof StorageError) throw result;
    assert(result !== undefined, 'a put tells of its file');
    return reply.header('etag', tagOf(result.version)).send(putReply(path, result));
  });
}

/** The bytes of a file that is read, streamed. */
export function downloadRoutes(server: FastifyInstance, routes: Routes, { engine }: ReceiverParts): void {
  const answer = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { path, version, disposition } = check(REQUESTS.content, request.query);
    const session = routes.sessionOf(request);
    const signal = signalOf(routes, reply, session);
    const manifest = await engine.catalog.manifest(session, path, version);
    signal.throwIfAborted();
    const validators = { tag: tagOf(manifest.version), modifiedMs: manifest.modifiedMs };
    void reply.headers({
      ...contentHeaders(path, disposition),
      etag: validators.tag,
      'last-modified': new Date(manifest.modifiedMs).toUTCString(),
      'accept-ranges': 'bytes',
    });
    const judged = judge(request.method, request.headers, validators);
    if (judged === 'unchanged') return reply.code(304).send();
    if (judged === 'unmet') return problem(reply.code(412), unmet(path));
    const range = askedRange(request, manifest, validators);
    if (range instanceof StorageError) return unsatisfiable(reply, range, manifest.bytes);
    const { from, to } = range ?? { from: 0, to: manifest.bytes };
    if (range !== undefined) {
      void reply.code(206).header('content-range', `bytes ${String(from)}-${String(to - 1)}/${String(manifest.bytes)}`);
    }
    void reply.header('content-length', to - from);
    if (request.method === 'HEAD') return reply.send();
    // A file that cannot be read at all is refused as such: once the headers have left, a failure has no words.
    const reading = { manifest, range: { from, to }, signal };
    const body = Readable.from(await begun(readFile(engine, session, reading)), { objectMode: false });
    // How it ends the client is told by the connection.
    void routes.track(finished(body).catch(() => undefined));
    return reply.send(body);
  };
  server.head('/v1/content', answer);
  server.get('/v1/content', answer);
}

/** A range of another version is no range of this one. */
function askedRange(
  { headers }: FastifyRequest,
  { bytes }: Manifest,
  validators: Validators,
): ReadRange | undefined | StorageError {
  if (!rangeCounts(headers, validators)) return undefined;
  try {
    return rangeOf(headers.range, bytes);
  } catch (error) {
    if (StorageError.is(error, 'INVALID_ARGUMENT')) return error;
    throw error;
  }
}

/** RFC 9110, section 15.5.17. */
function unsatisfiable(reply: FastifyReply, error: StorageError, bytes: number): FastifyReply {
  return problem(reply.code(416).header('content-range', `bytes */${String(bytes)}`), error);
}

/** RFC 9110, section 15.5.13. */
function unmet(path: string): StorageError {
  const message = `${path} is not, or not any more, what the request is conditional on. Read it again first.`;
  return new StorageError('PRECONDITION_FAILED', message);
}

function problem(reply: FastifyReply, { code, message }: StorageError): FastifyReply {
  const body: ProblemReply = { code, message };
  return reply.removeHeader('content-disposition').type('application/json; charset=utf-8').send(body);
}

function isConditional({ headers }: FastifyRequest): boolean {
  return headers['if-match'] !== undefined || headers['if-none-match'] !== undefined;
}

async function conditionHolds(
  catalog: Catalog,
  session: Session,
  path: string,
  request: FastifyRequest,
): Promise<boolean> {
  if (!isConditional(request)) return true;
  const there = await entryIfThere(catalog, session, path);
  const tag = there && (there.version === undefined ? '' : tagOf(there.version));
  return judge(request.method, request.headers, { tag, modifiedMs: 0 }) === 'go';
}

async function entryIfThere(catalog: Catalog, session: Session, path: string): Promise<Entry | undefined> {
  try {
    return await catalog.stat(session, path);
  } catch (error) {
    if (StorageError.is(error, 'NOT_FOUND')) return undefined;
    throw error;
  }
}

async function* one(file: PutFile): AsyncGenerator<readonly PutFile[]> {
  yield [file];
}

/** The same parts, the first of which is there already. @throws what the first one fails with */
async function begun<T>(parts: AsyncIterable<T>): Promise<AsyncGenerator<T>> {
  const iterator = parts[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}
