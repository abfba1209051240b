import assert from 'node:assert/strict';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { diagnose } from '../../src/cli/doctor/diagnose.js';
import type { Finding } from '../../src/cli/doctor/finding.js';
import { admit } from '../../src/cli/doctor/patient.js';
import { ControlClient } from '../../src/cli/control-client.js';
import { NEVER } from '../contract/offer.js';
import { Planet } from './planet.js';

async function examine(home: string, env: Readonly<Record<string, string>> = {}, aheadMs = 0): Promise<Finding[]> {
  await using client = new ControlClient(home, { signal: NEVER });
  const patient = await admit({ home, env, status: () => client.status(), signal: NEVER });
  return [...(await diagnose({ ...patient, nowMs: () => Date.now() + aheadMs }))];
}

function levelsOf(findings: readonly Finding[], check: string): string[] {
  return findings.filter((finding) => finding.check === check).map(({ level }) => level);
}

it('shoal doctor finds nothing wrong with a network that is well, and what is wrong with one that is not', async () => {
  await using planet = await Planet.open({ peers: 3, backupHosts: 1 });
  const home = planet.home(1);
  const well = await examine(home);
  for (const check of ['home', 'settings', 'certificate', 'peer', 'other peers', 'clock', 'port (listen)']) {
    assert.deepEqual(levelsOf(well, check), ['ok'], `${check}: ${JSON.stringify(well)}`);
  }

  const late = await examine(home, {}, 3600 * 1000);
  assert.deepEqual(levelsOf(late, 'clock'), ['problem']);
  const expired = await examine(home, {}, 100 * 365 * 24 * 3600 * 1000);
  assert.deepEqual(levelsOf(expired, 'certificate'), ['problem']);

  await planet.stop(3);
  await chmod(home, 0o755);
  const ill = await examine(home);
  assert.deepEqual(levelsOf(ill, 'other peers'), ['warning']);
  assert.deepEqual(levelsOf(ill, 'home'), ['problem']);
  await chmod(home, 0o700);

  await planet.stop(1);
  await writeFile(join(home, 'config.json'), 'not JSON');
  const stopped = await examine(home);
  assert.deepEqual(levelsOf(stopped, 'peer'), ['problem']);
  assert.deepEqual(levelsOf(stopped, 'settings'), ['problem']);
  assert.deepEqual(levelsOf(stopped, 'databases'), ['ok']);
  assert.deepEqual(levelsOf(stopped, 'sync'), ['unknown']);
  const strange = await examine(home, { SHOAL_WROKERS: '3' });
  assert.match(strange.find(({ check }) => check === 'settings')?.found ?? '', /SHOAL_WROKERS/);
});
