import type { Entry } from '../../catalog/catalog.js';
import type { FieldReader } from './field-reader.js';
import { ATTRIBUTE } from './protocol.js';

/** What a client wants to set; absent: leave it. Owners and times of access are not kept, and left out here. */
export interface WishedAttributes {
  readonly bytes?: number;
  readonly mode?: number;
  readonly modifiedMs?: number;
}

/** What is told of a file or folder. */
export type ShownEntry = Pick<Entry, 'type' | 'bytes' | 'mode' | 'modifiedMs'>;

/** File types and permissions of POSIX's st_mode. */
const TYPE = { file: 0o100000, folder: 0o040000 } as const;
const PERMISSIONS = 0o7777;
const MAX_UINT32 = 2 ** 32 - 1;
/** Whoever opened the socket on this machine is who runs the peer: programs compare it with themselves. */
const OWNER = process.getuid?.() ?? 0;
const GROUP = process.getgid?.() ?? 0;

export function readAttributes(fields: FieldReader): WishedAttributes {
  const flags = fields.uint32();
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const bytes = has(ATTRIBUTE.SIZE) ? fields.uint64() : undefined;
  if (has(ATTRIBUTE.OWNER)) {
    fields.uint32();
    fields.uint32();
  }
  const mode = has(ATTRIBUTE.MODE) ? fields.uint32() & PERMISSIONS : undefined;
  let modifiedMs: number | undefined;
  if (has(ATTRIBUTE.TIMES)) {
    fields.uint32();
    modifiedMs = fields.uint32() * 1000;
  }
  if (has(ATTRIBUTE.EXTENDED)) {
    for (let left = fields.uint32(); left > 0; left--) {
      fields.bytes();
      fields.bytes();
    }
  }
  return {
    ...(bytes !== undefined && { bytes }),
    ...(mode !== undefined && { mode }),
    ...(modifiedMs !== undefined && { modifiedMs }),
  };
}

/** Size, owner, mode and times: 28 bytes behind the flags. */
export function encodeAttributes({ type, bytes, mode, modifiedMs }: ShownEntry): Buffer {
  const encoded = Buffer.alloc(32);
  const seconds = Math.min(Math.max(Math.floor(modifiedMs / 1000), 0), MAX_UINT32);
  encoded.writeUInt32BE(ATTRIBUTE.SIZE | ATTRIBUTE.OWNER | ATTRIBUTE.MODE | ATTRIBUTE.TIMES, 0);
  encoded.writeBigUInt64BE(BigInt(bytes), 4);
  encoded.writeUInt32BE(OWNER, 12);
  encoded.writeUInt32BE(GROUP, 16);
  encoded.writeUInt32BE(TYPE[type] | (mode & PERMISSIONS), 20);
  encoded.writeUInt32BE(seconds, 24);
  encoded.writeUInt32BE(seconds, 28);
  return encoded;
}

/** A line as `ls -l` writes it, which some clients show and none reads. */
export function longName(name: string, { type, bytes, mode, modifiedMs }: ShownEntry): string {
  const bits = Array.from('rwxrwxrwx', (bit, index) => ((mode >> (8 - index)) & 1 ? bit : '-')).join('');
  const date = new Date(modifiedMs).toISOString().slice(0, 16).replace('T', ' ');
  return `${type === 'folder' ? 'd' : '-'}${bits} 1 ${String(OWNER)} ${String(GROUP)} ${String(bytes).padStart(12)} ${date} ${name}`;
}
