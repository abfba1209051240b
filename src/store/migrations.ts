import { readdir, readFile } from 'node:fs/promises';
import { assert, StorageError } from '../errors.js';
import type { NativeDatabase } from './sqlite-driver.js';

/** The files NNN-*.sql of a folder, in order; they are numbered from 001 without a gap. */
async function readMigrations(folder: URL): Promise<readonly string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return await Promise.all(
    names.map(async (name, index) => {
      assert(Number(name.slice(0, 3)) === index + 1, `${name} is number ${String(index + 1)} of its folder`);
      return await readFile(new URL(name, folder), 'utf8');
    }),
  );
}

function versionOf(database: NativeDatabase): number {
  const row = database.prepare('PRAGMA user_version').get() as { readonly user_version: number };
  return row.user_version;
}

/**
 * Brings a database to the newest schema: `PRAGMA user_version` counts the migrations that it has had, and each runs in a
 * transaction of its own together with that count.
 *
 * @param what the database in words a user knows
 * @throws StorageError UNSUPPORTED when a newer version of Shoal has migrated it
 */
export async function migrate(database: NativeDatabase, folder: URL, what: string): Promise<void> {
  const migrations = await readMigrations(folder);
  const version = versionOf(database);
  if (version > migrations.length) {
    throw new StorageError(
      'UNSUPPORTED',
      `${what} was written by a newer version of Shoal (schema ${String(version)}; this one knows ${String(migrations.length)}). Upgrade Shoal on this machine.`,
    );
  }
  for (const [index, sql] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE;\n${sql}\nPRAGMA user_version = ${String(index + 1)};\nCOMMIT;`);
  }
}
