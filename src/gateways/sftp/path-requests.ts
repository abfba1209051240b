import type { Catalog, Session } from '../../catalog/catalog.js';
import { StorageError } from '../../errors.js';
import type { ShownEntry, WishedAttributes } from './attributes.js';
import { demandGoodName, folderOf, nameOf, resolvePath } from './client-path.js';
import { FileHandle, type Handles } from './handles.js';
import { OPEN } from './protocol.js';
import * as reply from './replies.js';
import type { PathRequest, RequestParts } from './request-parts.js';

/** @returns the reply's packet */
export async function carryOutOfPath(parts: RequestParts, id: number, request: PathRequest): Promise<Buffer> {
  switch (request.kind) {
    case 'resolve':
      return reply.pathReply(id, resolvePath(request.path));
    case 'space':
      return reply.spaceReply(id, await parts.space());
    case 'limits':
      return reply.limitsReply(id);
    case 'readLink':
      throw new StorageError('INVALID_ARGUMENT', 'There are no symbolic links here.');
    case 'unknown':
      throw new StorageError('UNSUPPORTED', `Shoal does not know ${request.what}.`);
    case 'open':
    case 'openFolder':
    case 'stat':
    case 'set':
    case 'makeFolder':
    case 'removeFile':
    case 'removeFolder':
    case 'rename':
      return parts.inOrder(() => carryOutInOrder(parts, id, request));
  }
}

type OrderedRequest = Exclude<PathRequest, { readonly kind: 'resolve' | 'space' | 'limits' | 'readLink' | 'unknown' }>;

async function carryOutInOrder(parts: RequestParts, id: number, request: OrderedRequest): Promise<Buffer> {
  switch (request.kind) {
    case 'open':
      return reply.handleReply(id, await openFile(parts, request));
    case 'openFolder':
      return reply.handleReply(id, await parts.handles.add(() => openFolder(parts, resolvePath(request.path))));
    case 'stat':
      return reply.attributesReply(id, await stat(parts, resolvePath(request.path)));
    case 'set':
      await set(parts, resolvePath(request.path), request.attributes);
      return reply.okReply(id);
    case 'makeFolder':
      await makeFolder(parts, resolvePath(request.path));
      return reply.okReply(id);
    case 'removeFile':
    case 'removeFolder':
      await remove(parts, resolvePath(request.path), request.kind);
      return reply.okReply(id);
    case 'rename':
      await rename(parts, request);
      return reply.okReply(id);
  }
}

function openFile(
  { files, handles, session, windows }: RequestParts,
  { path, flags, attributes }: { readonly path: string; readonly flags: number; readonly attributes: WishedAttributes },
): Promise<Buffer> {
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const append = has(OPEN.APPEND);
  const write = has(OPEN.WRITE) || append;
  return handles.add(async () => {
    const file = await files.open(resolvePath(path), {
      ...{ session, write, exclusive: has(OPEN.EXCLUSIVE) },
      create: write && has(OPEN.CREATE),
      truncate: write && has(OPEN.TRUNCATE),
      ...(attributes.mode !== undefined && { mode: attributes.mode }),
    });
    return new FileHandle({ file, read: has(OPEN.READ) || !write, write, append }, { session, windows });
  });
}

async function stat({ catalog, files, session }: RequestParts, path: string): Promise<ShownEntry> {
  return files.at(session(), path)?.entry ?? catalog.stat(session(), path);
}

async function set(parts: RequestParts, path: string, { bytes, ...others }: WishedAttributes): Promise<void> {
  const { catalog, files, session } = parts;
  if (bytes !== undefined) {
    const file = await files.open(path, { session, write: true, create: false, exclusive: false, truncate: false });
    try {
      await file.truncate(bytes);
      await file.commit();
    } finally {
      await files.release(file);
    }
  }
  if (others.mode === undefined && others.modifiedMs === undefined) {
    // Owners are not kept, but whoever sets one wants to know that the file is there.
    if (bytes === undefined) await stat(parts, path);
    return;
  }
  const open = files.at(session(), path);
  if (open === undefined) await catalog.setAttributes(session(), path, others);
  else await open.set(others);
}

async function openFolder(
  { catalog, files, session }: RequestParts,
  path: string,
): Promise<ReturnType<Handles['folder']>> {
  const folder = await catalog.stat(session(), path);
  if (folder.type !== 'folder') throw new StorageError('CONFLICT', `${path} is a file, not a folder.`);
  const entries = new Map<string, ShownEntry>([
    ['.', folder],
    ['..', folder],
  ]);
  // Before and after: what is stored while the catalog is asked is in neither of both alone.
  for (const [name, entry] of files.in(session(), path)) entries.set(name, entry);
  for (const entry of await catalog.list(session(), path)) entries.set(nameOf(entry.path), entry);
  for (const [name, entry] of files.in(session(), path)) entries.set(name, entry);
  return { path, names: [...entries].map(([name, entry]) => ({ name, entry })), told: 0 };
}

async function makeFolder({ catalog, files, session }: RequestParts, path: string): Promise<void> {
  demandGoodName(path);
  if (files.at(session(), path) !== undefined || (await exists(catalog, session(), path))) {
    throw new StorageError('ALREADY_EXISTS', `There is something at ${path} already.`);
  }
  const folder = await catalog.stat(session(), folderOf(path));
  if (folder.type !== 'folder') throw new StorageError('CONFLICT', `${folder.path} is a file, not a folder.`);
  await catalog.makeFolder(session(), path);
}

async function exists(catalog: Catalog, session: Session, path: string): Promise<boolean> {
  try {
    await catalog.stat(session, path);
    return true;
  } catch (error) {
    if (StorageError.is(error, 'NOT_FOUND')) return false;
    throw error;
  }
}

/** Into the trash. A file that was never committed is only forgotten. */
async function remove(
  { catalog, files, session }: RequestParts,
  path: string,
  kind: 'removeFile' | 'removeFolder',
): Promise<void> {
  const isStored = await exists(catalog, session(), path);
  if (isStored) {
    const { type } = await catalog.stat(session(), path);
    if (kind === 'removeFile' && type === 'folder') throw new StorageError('CONFLICT', `${path} is a folder.`);
    if (kind === 'removeFolder' && type === 'file') throw new StorageError('CONFLICT', `${path} is a file.`);
    if (kind === 'removeFolder' && files.in(session(), path).size > 0) {
      throw new StorageError('CONFLICT', `${path} is not empty: a file in it is being written.`);
    }
  }
  const wasOpen = kind === 'removeFile' && (await files.detach(session(), path));
  // Its close may have stored it meanwhile.
  if (isStored || !wasOpen || (await exists(catalog, session(), path))) await catalog.remove(session(), path);
}

async function rename(
  { catalog, files, session }: RequestParts,
  request: { readonly from: string; readonly to: string; readonly replace: boolean },
): Promise<void> {
  const [from, to] = [resolvePath(request.from), resolvePath(request.to)];
  demandGoodName(to);
  await files.settle(session(), from);
  if (from === to) {
    await catalog.stat(session(), from);
    return;
  }
  await files.settle(session(), to);
  if (request.replace && (await isEmptyFolder(catalog, session(), { from, to }))) await catalog.remove(session(), to);
  await catalog.move(session(), from, to, { replace: request.replace });
  if (request.replace) await files.detach(session(), to);
  files.moved(session(), from, to);
}

/** POSIX: a folder takes the place of one in which there is nothing. */
async function isEmptyFolder(
  catalog: Catalog,
  session: Session,
  { from, to }: { readonly from: string; readonly to: string },
): Promise<boolean> {
  if (!(await exists(catalog, session, to)) || !(await exists(catalog, session, from))) return false;
  const [source, target] = [await catalog.stat(session, from), await catalog.stat(session, to)];
  if (source.type !== 'folder' || target.type !== 'folder') return false;
  return (await catalog.list(session, to)).length === 0;
}
