import { MAX_SFTP_DATA_BYTES, SFTP_NAMES_PER_REPLY } from '../../limits.js';
import type { ShownEntry, WishedAttributes } from './attributes.js';
import { FileHandle } from './handles.js';
import { STATUS } from './protocol.js';
import * as reply from './replies.js';
import type { HandleRequest, RequestParts } from './request-parts.js';

/** @returns the reply's packet */
export async function carryOutOfHandle(parts: RequestParts, id: number, request: HandleRequest): Promise<Buffer> {
  switch (request.kind) {
    case 'close':
      await close(parts, request.handle);
      return reply.okReply(id);
    case 'read':
      return read(parts, id, request);
    case 'write':
      await parts.handles.file(request.handle).write(request.offset, request.data);
      return reply.okReply(id);
    case 'sync':
      await parts.handles.file(request.handle).file.commit();
      return reply.okReply(id);
    case 'statHandle':
      return reply.attributesReply(id, await statHandle(parts, request.handle));
    case 'setHandle':
      await setHandle(parts, request.handle, request.attributes);
      return reply.okReply(id);
    case 'readFolder':
      return readFolder(parts, id, request.handle);
    case 'spaceOfHandle':
      return reply.spaceReply(id, await parts.space());
  }
}

/** What was written is safe when this resolves, and what went wrong is told here at the latest. */
async function close({ files, handles }: RequestParts, name: Buffer): Promise<void> {
  const handle = handles.take(name);
  if (!(handle instanceof FileHandle)) return;
  try {
    if (handle.isWritable) await handle.file.commit();
  } finally {
    await handle.close();
    await files.release(handle.file);
  }
}

async function read(
  { handles }: RequestParts,
  id: number,
  { handle, offset, bytes }: { readonly handle: Buffer; readonly offset: number; readonly bytes: number },
): Promise<Buffer> {
  const parts = await handles.file(handle).read(offset, Math.min(bytes, MAX_SFTP_DATA_BYTES));
  if (bytes > 0 && parts.every(({ length }) => length === 0)) return reply.statusReply(id, STATUS.EOF, 'End of file.');
  return reply.dataReply(id, parts);
}

async function statHandle({ catalog, handles, session }: RequestParts, name: Buffer): Promise<ShownEntry> {
  const handle = handles.any(name);
  return handle instanceof FileHandle ? handle.file.entry : catalog.stat(session(), handle.path);
}

async function setHandle(parts: RequestParts, name: Buffer, attributes: WishedAttributes): Promise<void> {
  const handle = parts.handles.any(name);
  // Folders keep nothing of that, and nobody minds.
  if (!(handle instanceof FileHandle)) return;
  const { bytes, ...others } = attributes;
  if (bytes !== undefined) handle.demandWritable();
  if (bytes !== undefined) await handle.file.truncate(bytes);
  if (others.mode !== undefined || others.modifiedMs !== undefined) await handle.file.set(others);
}

function readFolder({ handles }: RequestParts, id: number, name: Buffer): Buffer {
  const folder = handles.folder(name);
  const names = folder.names.slice(folder.told, folder.told + SFTP_NAMES_PER_REPLY);
  folder.told += names.length;
  return names.length === 0 ? reply.statusReply(id, STATUS.EOF, 'All was listed.') : reply.namesReply(id, names);
}
