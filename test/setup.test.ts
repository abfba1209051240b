import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { REPOSITORY } from './repository.js';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'shoal-setup-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the set-up of a clone', () => {
  test('refuses an old Node.js with one clear sentence', async () => {
    const disguise = `data:text/javascript,Object.defineProperty(process.versions,'node',{value:'20.18.3'})`;
    const setup = run(process.execPath, ['--import', disguise, join(REPOSITORY, 'scripts', 'setup.mjs')]);
    await assert.rejects(setup, {
      code: 1,
      stdout: '',
      stderr: /^Shoal needs Node\.js 20\.19 or newer; this is 20\.18\.3\./,
    });
  });

  const lock = join(folder, 'lock');
  const log = join(folder, 'log');
  const program = join(folder, 'hold.mjs');
  writeFileSync(
    program,
    `import { appendFileSync } from 'node:fs';
     import { setTimeout as sleep } from 'node:timers/promises';
     import { withLock } from ${JSON.stringify(pathToFileURL(join(REPOSITORY, 'scripts', 'lock.mjs')).href)};
     await withLock(${JSON.stringify(lock)}, async () => {
       appendFileSync(${JSON.stringify(log)}, '<');
       await sleep(20);
       appendFileSync(${JSON.stringify(log)}, '>');
     }, () => undefined);`,
  );

  test('is done by one process at a time, also after a holder of the lock has died', async () => {
    const dead = await run(process.execPath, ['-p', 'process.pid']);
    writeFileSync(lock, `${dead.stdout.trim()} ${hostname()} dead`);
    await Promise.all(Array.from({ length: 5 }, () => run(process.execPath, [program])));
    assert.equal(readFileSync(log, 'utf8'), '<>'.repeat(5));
  });
});
