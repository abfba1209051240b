import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openDocuments } from '../../src/documents/level-documents.js';
import type { UserCatalog } from '../../src/catalog/view/user-catalog.js';
import { openUserCatalog, sampleUser } from '../contract/catalog-users.js';
import { temporaryFolder } from '../contract/offer.js';
import { SeededNumbers } from './programs/seeded.js';

const WRITER = fileURLToPath(new URL('programs/catalog-writer.js', import.meta.url));
const KILLS = 20;
/** The kill falls anywhere within this time after the writer's catalog is open. */
const LIFE_MS = 80;
/** Set it to repeat a run. */
const SEED = process.env['SHOAL_TEST_SEED'] ?? String(Date.now());

type State = 'committing' | 'committed' | 'removing' | 'removed';

/** What writers said of each folder last, and how many files it was to have. */
class Ledger {
  readonly states = new Map<string, State>();
  readonly files = new Map<string, number>();

  read(line: string): void {
    const [verb, folder = '', files] = line.split(' ');
    if (verb === 'commit') {
      this.states.set(folder, 'committing');
      this.files.set(folder, Number(files));
    }
    if (verb === 'committed') this.states.set(folder, 'committed');
    if (verb === 'remove') this.states.set(folder, 'removing');
    if (verb === 'removed') this.states.set(folder, 'removed');
  }

  verify(catalog: UserCatalog): void {
    const found = new Map(catalog.list('/', false).map(({ path }) => [path, catalog.list(path, true).length]));
    for (const [folder, state] of this.states) {
      const files = found.get(folder);
      const all = this.files.get(folder);
      if (state === 'committed') assert.equal(files, all, `${folder} was acknowledged`);
      else if (state === 'removed') assert.equal(files, undefined, `${folder} was removed`);
      else assert.ok(files === undefined || files === all, `${folder} has ${String(files)} of ${String(all)} files`);
      found.delete(folder);
    }
    assert.deepEqual([...found.keys()], [], 'nothing is there that nobody wrote');
  }
}

async function writeAndKill(args: readonly string[], lifeMs: number, ledger: Ledger): Promise<void> {
  const writer = spawn(process.execPath, [WRITER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const closed = once(writer, 'close') as Promise<[number | null, string | null]>;
  let said = '';
  writer.stdout.setEncoding('utf8');
  writer.stdout.on('data', (text: string) => {
    if (said === '') setTimeout(() => writer.kill('SIGKILL'), lifeMs);
    said += text;
  });
  const [exitCode, killedBy] = await closed;
  assert.equal(killedBy, 'SIGKILL', `the writer ended by itself with ${String(exitCode)}`);
  // The kill may have cut the last line.
  for (const line of said.split('\n').slice(0, -1)) ledger.read(line);
}

describe(`a catalog whose process is killed again and again (SHOAL_TEST_SEED=${SEED})`, () => {
  it('keeps every acknowledged commit, and shows the others whole or not at all', async (context) => {
    const directory = await temporaryFolder(context);
    const rootKey = randomBytes(32);
    const numbers = new SeededNumbers(SEED);
    const ledger = new Ledger();
    for (let kill = 0; kill < KILLS; kill++) {
      const seed = `${SEED}-${String(kill)}`;
      await writeAndKill([directory, rootKey.toString('hex'), seed], numbers.below(LIFE_MS), ledger);
      const catalog = await openUserCatalog(sampleUser(rootKey), await openDocuments(directory, 'user'));
      ledger.verify(catalog);
      await catalog.close();
    }
    const states = [...ledger.states.values()];
    assert.ok(states.includes('committed') && states.includes('removed'), 'the writers got as far as doing something');
  });
});
