import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../../test/contract/offer.js';
import { ProcessLock } from './process-lock.js';

const MODULE = new URL('./process-lock.js', import.meta.url).href;

describe('ProcessLock', () => {
  it('is held by one, until that one closes it', async (context) => {
    const file = join(await temporaryFolder(context), 'locks', 'front');
    const lock = await ProcessLock.open(file, 'Somebody has it.');
    await assert.rejects(ProcessLock.open(file, 'Somebody has it.'), { code: 'CONFLICT', message: 'Somebody has it.' });
    await lock.close();
    await lock.close();
    await (await ProcessLock.open(file, 'Nobody has it.')).close();
  });

  it('keeps another process out, and ends with it', async (context) => {
    const file = join(await temporaryFolder(context), 'gateway');
    const program = `
      const { ProcessLock } = await import(${JSON.stringify(MODULE)});
      await ProcessLock.open(${JSON.stringify(file)}, '');
      console.log('held');
      setInterval(() => undefined, 1000);`;
    const other = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(other.stdout, 'data');
    await assert.rejects(ProcessLock.open(file, 'It runs.'), { code: 'CONFLICT' });
    other.kill('SIGKILL');
    await once(other, 'close');
    await (await ProcessLock.open(file, 'It runs.')).close();
  });
});
