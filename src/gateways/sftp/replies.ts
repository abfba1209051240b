import { ERRORS, type StorageError } from '../../errors.js';
import { MAX_SFTP_DATA_BYTES, MAX_SFTP_HANDLES, MAX_SFTP_PACKET_BYTES } from '../../limits.js';
import { encodeAttributes, longName, type ShownEntry } from './attributes.js';
import { EXTENSIONS, REPLY, STATUS, VERSION } from './protocol.js';

/** What is free, in the words of statvfs. */
export interface Space {
  readonly totalBytes: number;
  readonly freeBytes: number;
}

const UNIT_BYTES = 4096;
const LONGEST_NAME = 255;

function uint32(...values: readonly number[]): Buffer {
  const encoded = Buffer.allocUnsafe(values.length * 4);
  for (const [index, value] of values.entries()) encoded.writeUInt32BE(value, index * 4);
  return encoded;
}

function uint64(...values: readonly number[]): Buffer {
  const encoded = Buffer.allocUnsafe(values.length * 8);
  for (const [index, value] of values.entries()) encoded.writeBigUInt64BE(BigInt(Math.floor(value)), index * 8);
  return encoded;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A packet with its length. */
function packet(type: number, ...fields: readonly Uint8Array[]): Buffer {
  const bytes = fields.reduce((sum, { length }) => sum + length, 1);
  const head = Buffer.allocUnsafe(5);
  head.writeUInt32BE(bytes, 0);
  head.writeUInt8(type, 4);
  return Buffer.concat([head, ...fields]);
}

export function versionReply(): Buffer {
  const extensions = Object.entries(EXTENSIONS).flatMap(([name, version]) => [text(name), text(version)]);
  return packet(REPLY.VERSION, uint32(VERSION), ...extensions);
}

export function statusReply(id: number, status: number, message: string): Buffer {
  return packet(REPLY.STATUS, uint32(id, status), text(message), text('en'));
}

export function okReply(id: number): Buffer {
  return statusReply(id, STATUS.OK, '');
}

export function errorReply(id: number, { code, message }: StorageError): Buffer {
  return statusReply(id, ERRORS[code].sftp, message);
}

export function handleReply(id: number, handle: Buffer): Buffer {
  return packet(REPLY.HANDLE, uint32(id, handle.length), handle);
}

export function dataReply(id: number, parts: readonly Uint8Array[]): Buffer {
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  return packet(REPLY.DATA, uint32(id, bytes), ...parts);
}

export function attributesReply(id: number, entry: ShownEntry): Buffer {
  return packet(REPLY.ATTRS, uint32(id), encodeAttributes(entry));
}

export function namesReply(
  id: number,
  names: readonly { readonly name: string; readonly entry: ShownEntry }[],
): Buffer {
  const fields = names.flatMap(({ name, entry }) => [text(name), text(longName(name, entry)), encodeAttributes(entry)]);
  return packet(REPLY.NAME, uint32(id, names.length), ...fields);
}

/** To REALPATH: no attributes. */
export function pathReply(id: number, path: string): Buffer {
  return packet(REPLY.NAME, uint32(id, 1), text(path), text(path), uint32(0));
}

/** As struct statvfs: sizes in units, then counts of files, which nobody here keeps, then flags and the longest name. */
export function spaceReply(id: number, { totalBytes, freeBytes }: Space): Buffer {
  const free = freeBytes / UNIT_BYTES;
  const sizes = uint64(UNIT_BYTES, UNIT_BYTES, totalBytes / UNIT_BYTES, free, free);
  return packet(REPLY.EXTENDED, uint32(id), sizes, uint64(0, 0, 0, 0, 0, LONGEST_NAME));
}

export function limitsReply(id: number): Buffer {
  const limits = uint64(MAX_SFTP_PACKET_BYTES, MAX_SFTP_DATA_BYTES, MAX_SFTP_DATA_BYTES, MAX_SFTP_HANDLES);
  return packet(REPLY.EXTENDED, uint32(id), limits);
}
