import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlClient } from '../../src/cli/control-client.js';
import type { ImportItem } from '../../src/gateways/http/api.js';
import type { Content } from './content.js';

/** Of files that are put together, and so share a stripe. */
export const BUNDLE_FILES = 6;

/** The folder of the local files exists only meanwhile. */
export interface Bundle {
  readonly folder: string;
  /** By path. */
  readonly files: ReadonlyMap<string, Content>;
}

/**
 * Puts files together.
 *
 * @param onStored for each that is acknowledged
 * @returns the code of what went wrong with another
 */
export async function putBundle(
  client: ControlClient,
  { folder, files }: Bundle,
  onStored: (path: string) => void,
): Promise<string | undefined> {
  await mkdir(folder, { recursive: true });
  try {
    const items: ImportItem[] = [];
    for (const [path, { bytes }] of files) items.push(await localItem(folder, path, bytes));
    let failed: string | undefined;
    for await (const outcome of client.imports(lines(items))) {
      if (outcome.event === 'stored') onStored(outcome.path);
      else if (outcome.event === 'failed') failed = outcome.code;
    }
    return failed;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function localItem(folder: string, path: string, bytes: Uint8Array): Promise<ImportItem> {
  const local = join(folder, path.replaceAll('/', '_'));
  await writeFile(local, bytes);
  const { dev, ino, mtimeMs } = await stat(local, { bigint: true });
  const seen = { device: dev.toString(), inode: ino.toString(), modifiedMs: Number(mtimeMs) };
  return { local, path, bytes: bytes.length, mode: 0o600, ...seen };
}

async function* lines(items: readonly ImportItem[]): AsyncGenerator<string> {
  yield items.map((item) => `${JSON.stringify(item)}\n`).join('');
}
