import { open, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { generateFile } from '../src/cli/demo/material.js';

export const SMALL_FILE_BYTES = 4 * 1024;

/** Incompressible, and on the disk: what is measured next does not wait for its pages to be written. */
export async function makeBigFile(path: string, bytes: number, signal: AbortSignal): Promise<void> {
  await generateFile(path, bytes, signal);
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** One folder of files without bytes: what it costs is the catalog's. */
export async function makeEmptyFiles(folder: string, count: number, signal: AbortSignal): Promise<void> {
  await mkdir(folder);
  for (let index = 0; index < count; index++) {
    signal.throwIfAborted();
    await writeFile(join(folder, `file-${String(index).padStart(6, '0')}`), '');
  }
}

/** One folder of incompressible files. */
export async function makeSmallFiles(folder: string, count: number, signal: AbortSignal): Promise<void> {
  await mkdir(folder);
  for (let index = 0; index < count; index++) {
    signal.throwIfAborted();
    await writeFile(join(folder, `file-${String(index).padStart(6, '0')}`), randomBytes(SMALL_FILE_BYTES));
  }
}
