import assert from 'node:assert/strict';
import { mkdtemp, readFile as readLocalFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { VersionId } from '../../src/chunk/ids.js';
import { StorageError } from '../../src/errors.js';
import { getFiles } from '../../src/file/get.js';
import { putFiles, type PutFile, type PutResult } from '../../src/file/put.js';
import { readFile } from '../../src/file/read.js';
import { removePath, type Removed } from '../../src/file/remove.js';
import type { LocalSource } from '../../src/file/worker/protocol.js';
import { NEVER } from '../contract/offer.js';
import type { Planet } from './planet.js';

type Content = Uint8Array | LocalSource | AsyncIterable<Uint8Array>;
export type Outcome = PutResult | StorageError;

const MODIFIED_MS = 1_700_000_000_000;

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

async function* batch(files: readonly PutFile[]): AsyncGenerator<readonly PutFile[]> {
  yield files;
}

/** How a put sees a file of this machine. */
export async function localSource(local: string): Promise<LocalSource> {
  const { dev, ino, size, mtimeMs } = await stat(local, { bigint: true });
  return {
    local,
    device: dev.toString(),
    inode: ino.toString(),
    fileBytes: Number(size),
    modifiedMs: Number(mtimeMs),
  };
}

/** Puts all files at once. @returns what became of each, by its path */
export async function putAll(
  planet: Desk,
  files: Readonly<Record<string, Content>>,
  signal: AbortSignal = NEVER,
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const tell = ({ path }: PutFile, outcome: Outcome): void => {
    assert.ok(!outcomes.has(path), `${path} is told of once`);
    outcomes.set(path, outcome);
  };
  const putting = Object.entries(files).map(([path, content]): PutFile => {
    const source = content instanceof Uint8Array ? once(content) : content;
    return { path, modifiedMs: MODIFIED_MS, mode: 0o640, source };
  });
  await putFiles(planet.engine, planet.session, batch(putting), { signal, onStored: tell, onFailed: tell });
  return outcomes;
}

/** @throws the StorageError by which the put failed */
export async function put(
  planet: Planet,
  path: string,
  content: Content,
  signal: AbortSignal = NEVER,
): Promise<PutResult> {
  const outcome = (await putAll(planet, { [path]: content }, signal)).get(path);
  assert.ok(outcome !== undefined, 'the put told of the file');
  if (outcome instanceof StorageError) throw outcome;
  return outcome;
}

export interface Wanted {
  readonly version?: VersionId;
  readonly from?: number;
  readonly to?: number;
  readonly signal?: AbortSignal;
}

/** A peer at which a user is unlocked. */
export type Desk = Pick<Planet, 'engine' | 'session'>;

/** Streams a file, or a range of it. */
export async function read(planet: Desk, path: string, wanted: Wanted = {}): Promise<Buffer> {
  const { engine, session } = planet;
  const manifest = await engine.catalog.manifest(session, path, wanted.version);
  const range = { from: wanted.from ?? 0, to: wanted.to ?? manifest.bytes };
  const parts: Uint8Array[] = [];
  for await (const part of readFile(engine, session, { manifest, range, signal: wanted.signal ?? NEVER })) {
    parts.push(part);
  }
  return Buffer.concat(parts);
}

/** Fetches files to the disk, all at once. @returns the bytes of each, or why it failed */
export async function getAll(planet: Planet, paths: readonly string[]): Promise<(Buffer | StorageError)[]> {
  const { engine, session, folder } = planet;
  const staging = await mkdtemp(join(folder, 'get-'));
  const manifests = await engine.catalog.manifests(session, paths);
  const files = manifests.map((manifest, i) => {
    assert.ok(manifest !== undefined, `${String(paths[i])} is there`);
    return { manifest, output: join(staging, String(i)) };
  });
  const outcomes = new Map<number, Buffer | StorageError | undefined>();
  await getFiles(engine, session, files, {
    signal: NEVER,
    onFetched: (index) => {
      assert.ok(!outcomes.has(index), 'a file is told of once');
      outcomes.set(index, undefined);
    },
    onFailed: (index, error) => {
      assert.ok(!outcomes.has(index), 'a file is told of once');
      outcomes.set(index, error);
    },
  });
  return Promise.all(
    files.map(async ({ output }, index) => {
      assert.ok(outcomes.has(index), 'every file is told of');
      return outcomes.get(index) ?? (await readLocalFile(output));
    }),
  );
}

/** A file comes back as it was, both ways. */
export async function assertStored(planet: Planet, path: string, bytes: Uint8Array): Promise<void> {
  const streamed = await read(planet, path);
  assert.ok(streamed.equals(bytes), `${path}, streamed: ${String(streamed.length)} of ${String(bytes.length)} bytes`);
  const [fetched] = await getAll(planet, [path]);
  if (fetched instanceof StorageError) throw fetched;
  assert.ok(fetched?.equals(bytes), `${path}, fetched`);
}

export function remove(planet: Planet, path: string): Promise<Removed> {
  return removePath(planet.engine, planet.session, path, { recursive: true, forever: true, signal: NEVER });
}

export async function paths(planet: Desk): Promise<string[]> {
  const entries = await planet.engine.catalog.list(planet.session, '/', { recursive: true });
  return entries.filter(({ type }) => type === 'file').map(({ path }) => path);
}
