import { readAttributes, type WishedAttributes } from './attributes.js';
import { BadPacket, FieldReader } from './field-reader.js';
import { REQUEST } from './protocol.js';

/** One request for each kind, so that a switch knows them apart. */
type Each<Kind extends string, Fields> = { [K in Kind]: { readonly kind: K } & Fields }[Kind];

interface OfPath {
  readonly path: string;
}

interface OfHandle {
  readonly handle: Buffer;
}

interface Wish {
  readonly attributes: WishedAttributes;
}

/** What a client asks for, by what has to be done: requests that differ in the encoding only are one. */
export type SftpRequest =
  | Each<'open', OfPath & Wish & { readonly flags: number }>
  | Each<'read', OfHandle & { readonly offset: number; readonly bytes: number }>
  | Each<'write', OfHandle & { readonly offset: number; readonly data: Buffer }>
  | Each<'close' | 'statHandle' | 'readFolder' | 'sync' | 'spaceOfHandle', OfHandle>
  | Each<
      'stat' | 'openFolder' | 'removeFile' | 'makeFolder' | 'removeFolder' | 'resolve' | 'readLink' | 'space',
      OfPath
    >
  | Each<'set', OfPath & Wish>
  | Each<'setHandle', OfHandle & Wish>
  | Each<'rename', { readonly from: string; readonly to: string; readonly replace: boolean }>
  | Each<'limits', unknown>
  | Each<'unknown', { readonly what: string }>;

/** A request whose id is known, whatever is wrong with the rest of it. */
export interface ReceivedPacket {
  readonly type: number;
  readonly id: number;
  /** @throws StorageError INVALID_ARGUMENT, to be told to the client; BadPacket */
  decode(): SftpRequest;
}

/** @throws BadPacket when it has no id */
export function readRequest(packet: Buffer): ReceivedPacket {
  const type = packet.readUInt8(0);
  const fields = new FieldReader(packet, 1);
  return { type, id: fields.uint32(), decode: () => decode(type, fields) };
}

function decode(type: number, fields: FieldReader): SftpRequest {
  switch (type) {
    case REQUEST.OPEN:
      return { kind: 'open', path: fields.text(), flags: fields.uint32(), attributes: readAttributes(fields) };
    case REQUEST.CLOSE:
      return { kind: 'close', handle: fields.bytes() };
    case REQUEST.READ:
      return { kind: 'read', handle: fields.bytes(), offset: fields.uint64(), bytes: fields.uint32() };
    case REQUEST.WRITE:
      return { kind: 'write', handle: fields.bytes(), offset: fields.uint64(), data: fields.bytes() };
    case REQUEST.LSTAT:
    case REQUEST.STAT:
      return { kind: 'stat', path: fields.text() };
    case REQUEST.FSTAT:
      return { kind: 'statHandle', handle: fields.bytes() };
    case REQUEST.SETSTAT:
      return { kind: 'set', path: fields.text(), attributes: readAttributes(fields) };
    case REQUEST.FSETSTAT:
      return { kind: 'setHandle', handle: fields.bytes(), attributes: readAttributes(fields) };
    case REQUEST.RENAME:
      return { kind: 'rename', from: fields.text(), to: fields.text(), replace: false };
    case REQUEST.EXTENDED:
      return decodeExtended(fields.text(), fields);
    default:
      return decodeOfFolder(type, fields);
  }
}

function decodeOfFolder(type: number, fields: FieldReader): SftpRequest {
  switch (type) {
    case REQUEST.OPENDIR:
      return { kind: 'openFolder', path: fields.text() };
    case REQUEST.READDIR:
      return { kind: 'readFolder', handle: fields.bytes() };
    case REQUEST.REMOVE:
      return { kind: 'removeFile', path: fields.text() };
    case REQUEST.MKDIR:
      // Folders have no attributes of their own.
      return { kind: 'makeFolder', path: fields.text() };
    case REQUEST.RMDIR:
      return { kind: 'removeFolder', path: fields.text() };
    case REQUEST.REALPATH:
      return { kind: 'resolve', path: fields.text() };
    case REQUEST.READLINK:
      return { kind: 'readLink', path: fields.text() };
    case REQUEST.SYMLINK:
      return { kind: 'unknown', what: 'symbolic links' };
    default:
      throw new BadPacket(`There is no SFTP request ${String(type)}.`);
  }
}

function decodeExtended(name: string, fields: FieldReader): SftpRequest {
  switch (name) {
    case 'posix-rename@openssh.com':
      return { kind: 'rename', from: fields.text(), to: fields.text(), replace: true };
    case 'statvfs@openssh.com':
      return { kind: 'space', path: fields.text() };
    case 'fstatvfs@openssh.com':
      return { kind: 'spaceOfHandle', handle: fields.bytes() };
    case 'fsync@openssh.com':
      return { kind: 'sync', handle: fields.bytes() };
    case 'lsetstat@openssh.com':
      return { kind: 'set', path: fields.text(), attributes: readAttributes(fields) };
    case 'limits@openssh.com':
      return { kind: 'limits' };
    case 'expand-path@openssh.com':
      return { kind: 'resolve', path: fields.text() };
    default:
      return { kind: 'unknown', what: 'this extension' };
  }
}
