import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { REPOSITORY } from './repository.js';

/** A launcher as scripts/start.mjs is one, around a program given as text. */
function launch(program: string): ChildProcess {
  const run = JSON.stringify(pathToFileURL(join(REPOSITORY, 'scripts', 'run.mjs')).href);
  const launcher = `import { run } from ${run}; await run(['-e', ${JSON.stringify(program)}]);`;
  return spawn(process.execPath, ['--input-type=module', '-e', launcher], { stdio: ['ignore', 'pipe', 'inherit'] });
}

describe('a launcher', () => {
  test('ends with the exit code of its program', async () => {
    assert.deepEqual(await once(launch('process.exitCode = 42'), 'exit'), [42, null]);
  });

  test('ends with the signal that ended its program', async () => {
    assert.deepEqual(await once(launch(`process.kill(process.pid, 'SIGKILL')`), 'exit'), [null, 'SIGKILL']);
  });

  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    test(`passes ${signal} on and lets the program end by itself`, async () => {
      const child = launch(
        `process.on('${signal}', () => process.exit(7)); setInterval(() => {}, 1000); console.log('ready')`,
      );
      assert.ok(child.stdout !== null);
      await once(child.stdout, 'data');
      child.kill(signal);
      assert.deepEqual(await once(child, 'exit'), [7, null]);
    });
  }
});
