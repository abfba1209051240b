import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { wrapError } from '../../errors.js';
import { HOME } from '../../home.js';
import { INDEX_FILE } from '../../store/chunk-index.js';
import { openNative, type NativeDatabase } from '../../store/sqlite-driver.js';
import { wrapSqliteError } from '../../store/sqlite-errors.js';
import { formatBytes } from '../units.js';
import { ok, problem, unknown, type Finding } from './finding.js';

const NAME = 'databases';

/** SQLite's, in the home, with what it means to lose one. */
const FILES: readonly (readonly [path: string, remedy: string])[] = [
  [
    join(HOME.chunks, INDEX_FILE),
    `Move the folder ${HOME.chunks} away, start the peer, and let the network put back what lay here.`,
  ],
  [join(HOME.state, 'state.sqlite'), 'Move the file away and start the peer: deletions under way are found again.'],
  [join(HOME.state, 'memory.sqlite'), 'Move the file away and start the peer: it is filled again from the databases.'],
  [join(HOME.state, 'invitations.sqlite'), 'Move the file away and start the peer, and make open invitations anew.'],
];

/** A check reads all of it: a few seconds. */
const MAX_CHECKED_BYTES = 1024 ** 3;

/** SQLite databases at rest. While the peer runs it has them to itself, and checks what it reads. */
export async function checkDatabases(home: string, running: boolean): Promise<readonly Finding[]> {
  if (running) return [unknown(NAME, 'They are in use; what is damaged is told of by the peer itself.')];
  const findings: Finding[] = [];
  let checked = 0;
  for (const [path, remedy] of FILES) {
    const bytes = await sizeOf(join(home, path));
    if (bytes === undefined) continue;
    checked++;
    if (bytes > MAX_CHECKED_BYTES) {
      findings.push(unknown(NAME, `${path} has ${formatBytes(bytes)}, too much to be read for this.`));
      continue;
    }
    const damage = await damageOf(join(home, path));
    if (damage !== undefined) findings.push(problem(NAME, damage, remedy));
  }
  if (findings.length > 0) return findings;
  return [checked === 0 ? unknown(NAME, 'There are none yet.') : ok(NAME, `${String(checked)} databases are sound.`)];
}

async function sizeOf(file: string): Promise<number | undefined> {
  try {
    return (await stat(file)).size;
  } catch (error) {
    if (wrapError(error, '').code === 'NOT_FOUND') return undefined;
    throw error;
  }
}

/** @returns what is wrong with a database, in a sentence */
async function damageOf(file: string): Promise<string | undefined> {
  let native: NativeDatabase | undefined;
  try {
    native = await openNative(file);
    native.exec('PRAGMA query_only = ON; PRAGMA trusted_schema = OFF');
    const row = native.prepare('PRAGMA quick_check(1)').get() as { readonly quick_check: string };
    return row.quick_check === 'ok' ? undefined : `${file} is damaged (${row.quick_check}).`;
  } catch (error) {
    return wrapSqliteError(error, file).message;
  } finally {
    native?.close();
  }
}
