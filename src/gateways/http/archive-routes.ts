import type { FastifyInstance } from 'fastify';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import type { Catalog, Entry, Session } from '../../catalog/catalog.js';
import { assert, StorageError, wrapError } from '../../errors.js';
import type { ReadEngine } from '../../file/engine.js';
import { readFile } from '../../file/read.js';
import { MAX_ARCHIVE_ENTRIES } from '../../limits.js';
import { contentHeaders } from './content-headers.js';
import { check, REQUESTS } from './requests.js';
import { signalOf, type ReceiverParts, type Routes } from './routes.js';

/** Files and folders as one zip file, streamed; nothing is compressed, and nothing is written to the disk for it. */
export function archiveRoutes(server: FastifyInstance, routes: Routes, { engine }: ReceiverParts): void {
  server.get('/v1/archive', async (request, reply) => {
    const { path: asked } = check(REQUESTS.archive, request.query);
    const session = routes.sessionOf(request);
    const signal = signalOf(routes, reply, session);
    const members = await membersOf(engine.catalog, session, asked);
    signal.throwIfAborted();
    const body = zipOf(members, { engine, session, signal });
    void routes.track(finished(body).catch(() => undefined));
    const [only = '/'] = asked;
    const name = asked.length > 1 || only === '/' ? 'shoal' : only.slice(only.lastIndexOf('/') + 1);
    return reply
      .headers({ ...contentHeaders(`/${name}.zip`, 'attachment'), 'content-type': 'application/zip' })
      .send(body);
  });
}

interface Member {
  readonly entry: Entry;
  /** In the archive. */
  readonly name: string;
}

/** Each asked thing under its own name, with all that is below it. @throws StorageError NOT_FOUND, LIMIT_EXCEEDED */
async function membersOf(catalog: Catalog, session: Session, asked: readonly string[]): Promise<Member[]> {
  const members = new Map<string, Member>();
  for (const path of new Set(asked)) {
    const top = await catalog.stat(session, path);
    const inside = top.type === 'folder' ? await catalog.list(session, path, { recursive: true }) : [];
    const skipped = top.path.lastIndexOf('/') + 1;
    for (const entry of [top, ...inside]) {
      const name = safeName(entry.path.slice(skipped));
      if (name === '') continue;
      members.set(nameBeside(members, name, entry.path), { entry, name: nameBeside(members, name, entry.path) });
    }
    if (members.size > MAX_ARCHIVE_ENTRIES) {
      throw new StorageError(
        'LIMIT_EXCEEDED',
        `An archive has ${String(MAX_ARCHIVE_ENTRIES)} entries at most. Choose folders inside, or use \`shoal get\`.`,
      );
    }
  }
  return [...members.values()];
}

/** Two of one name from different folders do not overwrite each other where they are unpacked. */
function nameBeside(members: ReadonlyMap<string, Member>, name: string, path: string): string {
  const there = members.get(name);
  return there === undefined || there.entry.path === path ? name : safeName(path.slice(1));
}

/** Good names of files here mean something else to programs that unpack archives: `..\x`, `C:x`. */
function safeName(name: string): string {
  return name.replaceAll('\\', '_').replace(/^([a-z]):/i, '$1_');
}

interface Reading {
  readonly engine: ReadEngine;
  readonly session: Session;
  readonly signal: AbortSignal;
}

function zipOf(members: readonly Member[], reading: Reading): Readable {
  const zip = new ZipFile();
  const { outputStream: output } = zip;
  assert(output instanceof Readable, 'yazl writes into a stream of Node');
  zip.on('error', (error: unknown) => {
    // What has left cannot be taken back: a cut connection is how the client hears of it.
    output.destroy(wrapError(error, 'Making the archive'));
  });
  for (const { entry, name } of members) {
    const mtime = new Date(entry.modifiedMs);
    if (entry.type === 'folder') {
      zip.addEmptyDirectory(name, { mtime, mode: 0o40755 });
      continue;
    }
    const options = { mtime, mode: 0o100000 | entry.mode, size: entry.bytes, compress: false };
    // Read when it is its turn: one file at a time.
    zip.addReadStreamLazy(name, options, (give) => {
      give(null, Readable.from(bytesOf(entry, reading), { objectMode: false }));
    });
  }
  zip.end();
  return output;
}

async function* bytesOf({ path, version }: Entry, { engine, session, signal }: Reading): AsyncGenerator<Uint8Array> {
  const manifest = await engine.catalog.manifest(session, path, version);
  yield* readFile(engine, session, { manifest, range: { from: 0, to: manifest.bytes }, signal });
}
