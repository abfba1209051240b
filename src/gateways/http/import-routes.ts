import type { FastifyInstance } from 'fastify';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Manifest, Session } from '../../catalog/catalog.js';
import type { VersionId } from '../../chunk/ids.js';
import { StorageError, wrapError } from '../../errors.js';
import { getFiles } from '../../file/get.js';
import { putFiles, type PutFile } from '../../file/put.js';
import { MAX_CONTROL_LINE_BYTES } from '../../limits.js';
import type { ExportEvent, ImportEvent, ProblemReply } from './api.js';
import { EventLines } from './event-lines.js';
import { linesWithin } from './ndjson.js';
import { putReply } from './replies.js';
import { check, REQUESTS } from './requests.js';
import { sessionOf, signalOf, type Routes } from './routes.js';

/** Files handed to a put at once: the catalog is asked for their ids together. */
const BATCH_FILES = 512;

interface ExportItem {
  readonly path: string;
  readonly version?: VersionId | undefined;
}

/** Files that move between this machine's disk and the network without passing through the socket. */
export function transferRoutes(server: FastifyInstance, routes: Routes): void {
  const { engine, track } = routes;

  server.post('/v1/imports', async (request, reply) => {
    const session = sessionOf(routes, request);
    const { body } = request;
    if (!(body instanceof Readable))
      throw new StorageError('INVALID_ARGUMENT', 'The body must be application/x-ndjson.');
    const signal = signalOf(routes, reply);
    const events = new EventLines<ImportEvent>();
    void track(
      events.run(async () => {
        let files = 0;
        let bytes = 0;
        const onBadLine = (bad: BadLine): void => {
          events.push({ event: 'failed', ...bad });
        };
        await putFiles(engine, session, itemsOf(body, onBadLine), {
          signal,
          onProgress: (count) => {
            events.progress(count);
          },
          onStored: (file, result) => {
            files++;
            bytes += result.bytes;
            events.push({ event: 'stored', ...putReply(file.path, result) });
          },
          onFailed: (file, error) => {
            events.push(failedImport(file, error));
          },
        });
        events.push({ event: 'done', files, bytes });
      }),
    );
    return reply.type('application/x-ndjson').send(events.stream);
  });

  server.post('/v1/exports', async (request, reply) => {
    const session = sessionOf(routes, request);
    const { staging, proof, items } = check(REQUESTS.export, request.body);
    await checkProof(staging, proof);
    const signal = signalOf(routes, reply);
    const events = new EventLines<ExportEvent>();
    void track(events.run(() => exportItems(routes, session, { items, staging, events, signal })));
    return reply.type('application/x-ndjson').send(events.stream);
  });
}

/** A line of a request that names no file which could be put. */
interface BadLine extends ProblemReply {
  /** As far as the line says it. */
  readonly local: string;
  readonly path: string;
}

/** One bad line fails the file that it was to name, and no other. */
async function* itemsOf(
  body: AsyncIterable<Uint8Array>,
  onBadLine: (bad: BadLine) => void,
): AsyncGenerator<readonly PutFile[]> {
  let count = 0;
  let batch: PutFile[] = [];
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    for await (const part of body) yield part;
  };
  for await (const line of linesWithin(whole(), MAX_CONTROL_LINE_BYTES)) {
    const item = importItem(line, ++count);
    if ('code' in item) onBadLine(item);
    else batch.push(item);
    if (batch.length < BATCH_FILES) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

function importItem(line: string | undefined, count: number): PutFile | BadLine {
  const where = `Line ${String(count)} of the request`;
  if (line === undefined) {
    const message = `${where} is longer than ${String(MAX_CONTROL_LINE_BYTES)} characters.`;
    return { local: '', path: '', code: 'LIMIT_EXCEEDED', message };
  }
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { local: '', path: '', code: 'INVALID_ARGUMENT', message: `${where} is not JSON.` };
  }
  try {
    return importFile(value);
  } catch (error) {
    const { code, message } = wrapError(error, where);
    return { local: textAt(value, 'local'), path: textAt(value, 'path'), code, message };
  }
}

function textAt(value: unknown, key: string): string {
  const text: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined;
  return typeof text === 'string' ? text : '';
}

function importFile(value: unknown): PutFile {
  const { path, modifiedMs, mode, bytes, local, device, inode } = check(REQUESTS.importItem, value);
  // The catalog counts from 1970 on; what the file is compared with while it is read is its own time.
  return {
    path,
    modifiedMs: Math.max(modifiedMs, 0),
    mode,
    source: { local, device, inode, fileBytes: bytes, modifiedMs },
  };
}

/** A file that this process cannot open, or sees as another one, is for the client to stream. */
function failedImport(file: PutFile, error: StorageError): ImportEvent {
  const local = 'local' in file.source ? file.source.local : '';
  const { path } = file;
  const { code, message } = error;
  if (code === 'PERMISSION_DENIED' || code === 'NOT_FOUND') return { event: 'unreadable', local, path };
  return { event: 'failed', local, path, code, message };
}

/** Being able to read what the client wrote shows that both see the same folder. */
async function checkProof(staging: string, proof: string): Promise<void> {
  let found: string;
  try {
    found = await readFile(join(staging, '.proof'), 'utf8');
  } catch (error) {
    throw new StorageError('PERMISSION_DENIED', 'This peer cannot read the staging folder.', { cause: error });
  }
  if (found !== proof) throw new StorageError('PERMISSION_DENIED', 'This peer sees another staging folder.');
}

interface Export {
  readonly items: readonly ExportItem[];
  readonly staging: string;
  readonly events: EventLines<ExportEvent>;
  readonly signal: AbortSignal;
}

async function exportItems(
  { engine }: Routes,
  session: Session,
  { items, staging, events, signal }: Export,
): Promise<void> {
  const manifests = await manifestsOf(engine.catalog, session, items, (item, error) => {
    events.push({ event: 'failed', item, code: error.code, message: error.message });
  });
  const files = manifests.map(({ item, manifest }) => ({ manifest, output: join(staging, String(item)) }));
  let count = 0;
  let total = 0;
  await getFiles(engine, session, files, {
    signal,
    onProgress: (bytes) => {
      events.progress(bytes);
    },
    onFetched: (index) => {
      const found = manifests[index];
      if (found === undefined) return;
      const { bytes, modifiedMs, mode } = found.manifest;
      count++;
      total += bytes;
      events.push({ event: 'fetched', item: found.item, bytes, modifiedMs, mode });
    },
    onFailed: (index, { code, message }) => {
      events.push({ event: 'failed', item: manifests[index]?.item ?? index, code, message });
    },
  });
  events.push({ event: 'done', files: count, bytes: total });
}

interface FoundManifest {
  readonly item: number;
  readonly manifest: Manifest;
}

async function manifestsOf(
  catalog: Routes['engine']['catalog'],
  session: Session,
  items: readonly ExportItem[],
  fail: (item: number, error: StorageError) => void,
): Promise<FoundManifest[]> {
  const newest = await catalog.manifests(
    session,
    items.map(({ path }) => path),
  );
  const found: FoundManifest[] = [];
  for (const [item, { path, version }] of items.entries()) {
    try {
      const manifest = version === undefined ? newest[item] : await catalog.manifest(session, path, version);
      if (manifest === undefined) throw new StorageError('NOT_FOUND', `There is no file at ${path}.`);
      found.push({ item, manifest });
    } catch (error) {
      fail(item, wrapError(error, `Looking up ${path}`));
    }
  }
  return found;
}
