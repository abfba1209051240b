import { createCipheriv, createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { cp, mkdir, open, readdir, statfs } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { StorageError, wrapError } from '../../errors.js';
import { DEFAULT_RESERVE_BYTES } from '../../limits.js';
import { findPackage } from '../../package.js';
import { formatBytes } from '../units.js';

const MIB = 1024 * 1024;
const DEFAULT_BYTES = 256 * MIB;
const SMALLEST_BYTES = 8 * MIB;
/** The original, its chunks (6 / 4 of it), what came back, and a little more. */
const COPIES = 3.75;
/** Logs, catalogs, and the files of the project. */
const OTHER_BYTES = 128 * MIB;

/** What of the project's own folder is stored as small files: no dependency, nothing built. */
const PROJECT_PARTS = [
  'src',
  'docs',
  'test',
  'proto',
  'scripts',
  'bench',
  'bin',
  'package.json',
  'README.md',
  'ARCHITECTURE.md',
];

/** How large a file the disk of `folder` can take, at most the default. @throws StorageError NO_SPACE */
export async function fittingBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  const room = (bavail * bsize - DEFAULT_RESERVE_BYTES - OTHER_BYTES) / COPIES;
  const bytes = Math.min(DEFAULT_BYTES, Math.floor(room / MIB) * MIB);
  if (bytes >= SMALLEST_BYTES) return bytes;
  const needed = formatBytes(SMALLEST_BYTES * COPIES + DEFAULT_RESERVE_BYTES + OTHER_BYTES);
  throw new StorageError(
    'NO_SPACE',
    `${folder} has less than ${needed} free: make room, or choose another disk with --dir.`,
  );
}

/** Bytes that no program can make smaller: the keystream of AES-CTR, at gigabytes a second. */
export async function generateFile(path: string, bytes: number, signal: AbortSignal): Promise<void> {
  const cipher = createCipheriv('aes-128-ctr', randomBytes(16), randomBytes(16));
  const zeros = Buffer.alloc(4 * MIB);
  const file = await open(path, 'wx');
  try {
    for (let left = bytes; left > 0; left -= zeros.length) {
      signal.throwIfAborted();
      await file.appendFile(cipher.update(left < zeros.length ? zeros.subarray(0, left) : zeros));
    }
  } finally {
    await file.close();
  }
}

/** A copy of the project's own files, as a folder of many small ones. */
export async function copyProject(to: string): Promise<void> {
  const { folder: root } = findPackage();
  await mkdir(to);
  for (const part of PROJECT_PARTS) {
    if (existsSync(join(root, part))) await cp(join(root, part), join(to, part), { recursive: true });
  }
}

/** The files below `folder` with their sizes, by their path in it. */
export async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/** SHA-256 in hex. */
export async function hashFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const part of createReadStream(path, { highWaterMark: MIB, signal })) hash.update(part as Buffer);
  } catch (error) {
    throw signal.aborted ? signal.reason : wrapError(error, `Reading ${path}`);
  }
  return hash.digest('hex');
}

/** SHA-256 over the name and the SHA-256 of each file, in order. */
export async function hashFolder(folder: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  for (const name of await filesBelow(folder)) hash.update(`${name}\0${await hashFile(join(folder, name), signal)}\n`);
  return hash.digest('hex');
}
