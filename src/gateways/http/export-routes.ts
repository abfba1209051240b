import type { FastifyInstance } from 'fastify';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Catalog, Manifest, Session } from '../../catalog/catalog.js';
import type { VersionId } from '../../chunk/ids.js';
import { StorageError, wrapError } from '../../errors.js';
import type { ReadEngine } from '../../file/engine.js';
import { getFiles } from '../../file/get.js';
import type { ExportEvent } from './api.js';
import type { EventLines } from './event-lines.js';
import { check, REQUESTS } from './requests.js';
import { signalOf, type ReceiverParts, type Routes } from './routes.js';
import { sendLines } from './send-lines.js';

interface ExportItem {
  readonly path: string;
  readonly version?: VersionId | undefined;
}

/** Files that are fetched to this machine's disk without passing through the socket. */
export function exportRoutes(server: FastifyInstance, routes: Routes, { engine }: ReceiverParts): void {
  server.post('/v1/exports', async (request, reply) => {
    const session = routes.sessionOf(request);
    const { staging, proof, items } = check(REQUESTS.export, request.body);
    const signal = signalOf(routes, reply, session);
    await checkProof(staging, proof);
    return sendLines<ExportEvent>(routes, reply, (events) =>
      exportItems(engine, session, { items, staging, events, signal }),
    );
  });
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
  engine: ReadEngine,
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
  catalog: Catalog,
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
