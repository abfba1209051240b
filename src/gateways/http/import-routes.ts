import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { StorageError, wrapError } from '../../errors.js';
import { putFiles, type PutFile } from '../../file/put.js';
import { MAX_CONTROL_LINE_BYTES } from '../../limits.js';
import type { ImportEvent, ProblemReply } from './api.js';
import { linesWithin } from './ndjson.js';
import { putReply } from './replies.js';
import { check, REQUESTS } from './requests.js';
import { signalOf, type Routes, type SenderParts } from './routes.js';
import { sendLines } from './send-lines.js';

/** Files handed to a put at once: the catalog is asked for their ids together. */
const BATCH_FILES = 512;

/** Files that are put from this machine's disk without passing through the socket. */
export function importRoutes(server: FastifyInstance, routes: Routes, { engine }: SenderParts): void {
  server.post('/v1/imports', async (request, reply) => {
    const session = routes.sessionOf(request);
    const { body } = request;
    if (!(body instanceof Readable))
      throw new StorageError('INVALID_ARGUMENT', 'The body must be application/x-ndjson.');
    const signal = signalOf(routes, reply, session);
    return sendLines<ImportEvent>(routes, reply, async (events) => {
      let files = 0;
      let bytes = 0;
      const onBadLine = (bad: BadLine): void => {
        events.push({ event: 'failed', ...bad });
      };
      await putFiles(engine, session, itemsOf(body, onBadLine), {
        signal,
        onDraft: ({ path, source }, { id, storedBytes, changed }) => {
          const local = 'local' in source ? source.local : '';
          events.push({ event: 'upload', id, local, path, storedBytes, changed });
        },
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
    });
  });
}

/** A line of a request that names no file which could be put. */
interface BadLine extends ProblemReply {
  /** As far as the line says it. */
  readonly local: string;
  readonly path: string;
}

/** One bad line fails the file that it was to name, and no other. */
async function* itemsOf(body: Readable, onBadLine: (bad: BadLine) => void): AsyncGenerator<readonly PutFile[]> {
  let count = 0;
  let batch: PutFile[] = [];
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    // Destroyed with the iteration, the request would take the connection, and what is still to be told, with it.
    for await (const part of body.iterator({ destroyOnReturn: false })) yield part as Uint8Array;
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
  const { path, modifiedMs, mode, bytes, local, device, inode, resume } = check(REQUESTS.importItem, value);
  // The catalog counts from 1970 on; what the file is compared with while it is read is its own time.
  return {
    path,
    modifiedMs: Math.max(modifiedMs, 0),
    mode,
    source: { local, device, inode, fileBytes: bytes, modifiedMs },
    resume,
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
