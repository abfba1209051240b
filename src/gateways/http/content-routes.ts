import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { assert, StorageError } from '../../errors.js';
import { putFiles, type PutFile, type PutResult } from '../../file/put.js';
import { readFile } from '../../file/read.js';
import { putReply } from './replies.js';
import { check, rangeOf, REQUESTS } from './requests.js';
import { signalOf, type ReceiverParts, type Routes, type SenderParts } from './routes.js';

const DEFAULT_MODE = 0o644;

/** The bytes of a file that is put, streamed. */
export function uploadRoutes(server: FastifyInstance, routes: Routes, { engine }: SenderParts): void {
  server.put('/v1/content', async (request, reply) => {
    const { path, modified, mode } = check(REQUESTS.upload, request.query);
    const session = routes.sessionOf(request);
    const source = request.body;
    if (!(source instanceof Readable))
      throw new StorageError('INVALID_ARGUMENT', 'The body must be application/octet-stream.');
    const file: PutFile = { path, modifiedMs: Math.max(modified ?? Date.now(), 0), mode: mode ?? DEFAULT_MODE, source };
    let result: PutResult | StorageError | undefined;
    await routes.track(
      putFiles(engine, session, one(file), {
        signal: signalOf(routes, reply),
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
    return putReply(path, result);
  });
}

/** The bytes of a file that is read, streamed. */
export function downloadRoutes(server: FastifyInstance, routes: Routes, { engine }: ReceiverParts): void {
  server.get('/v1/content', async (request, reply) => {
    const { path, version } = check(REQUESTS.file, request.query);
    const session = routes.sessionOf(request);
    const manifest = await engine.catalog.manifest(session, path, version);
    const range = rangeOf(request.headers.range, manifest.bytes);
    const { from, to } = range ?? { from: 0, to: manifest.bytes };
    // A file that cannot be read at all is refused as such: once the headers have left, a failure has no words.
    const bytes = await begun(
      readFile(engine, session, { manifest, range: { from, to }, signal: signalOf(routes, reply) }),
    );
    if (range !== undefined) {
      void reply.code(206).header('content-range', `bytes ${String(from)}-${String(to - 1)}/${String(manifest.bytes)}`);
    }
    void reply
      .header('content-length', to - from)
      .header('accept-ranges', 'bytes')
      .type('application/octet-stream');
    const body = Readable.from(bytes, { objectMode: false });
    // How it ends the client is told by the connection.
    void routes.track(finished(body).catch(() => undefined));
    return reply.send(body);
  });
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
