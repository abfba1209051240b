import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { REPOSITORY } from '../repository.js';

/** The shell blocks of the README's tour, as a reader would type them: one after the other in one shell. */
function tour(): string {
  const [, text = ''] = readFileSync(join(REPOSITORY, 'README.md'), 'utf8').split('## A quick tour');
  return [...text.matchAll(/^```sh\n(.*?)^```/gms)].map(([, block = '']) => block).join('\n');
}

describe('README.md', () => {
  it('shows a tour that works as it is written', () => {
    const script = tour();
    assert.match(script, /shoal put/);
    const { status, stdout, stderr } = spawnSync('bash', ['-euo', 'pipefail', '-c', script], {
      cwd: REPOSITORY,
      encoding: 'utf8',
      env: { ...process.env, SHOAL_HOME: undefined },
      timeout: 100_000,
    });
    assert.equal(status, 0, stderr);
    assert.match(stdout, /Any 2 of your 6 machines may fail/);
  });
});
