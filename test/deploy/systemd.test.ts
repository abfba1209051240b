/** deploy/systemd: what the units say, and what systemd itself thinks of them. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { SERVICES } from '../../src/config.js';
import { needs } from '../needs.js';
import { REPOSITORY } from '../repository.js';

const FOLDER = join(REPOSITORY, 'deploy', 'systemd');
const UNITS = readdirSync(FOLDER).sort();
const SERVICE_UNITS = UNITS.filter((name) => name.endsWith('.service'));
/** What every process of a peer can do without. */
const HARDENED: Readonly<Record<string, string>> = {
  User: 'shoal',
  UMask: '0077',
  NoNewPrivileges: 'yes',
  CapabilityBoundingSet: '',
  ProtectSystem: 'strict',
  ProtectHome: 'yes',
  PrivateTmp: 'yes',
  PrivateDevices: 'yes',
  ProtectKernelTunables: 'yes',
  RestrictAddressFamilies: 'AF_UNIX AF_INET AF_INET6',
  RestrictNamespaces: 'yes',
  SystemCallFilter: '@system-service',
  StateDirectoryMode: '0700',
};

/** Values by "Section.Key", in order. */
function read(unit: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  let section = '';
  for (const line of readFileSync(join(FOLDER, unit), 'utf8').split('\n')) {
    if (line === '' || line.startsWith('#')) continue;
    const heading = /^\[(\w+)\]$/.exec(line);
    if (heading !== null) {
      section = heading[1] ?? '';
      continue;
    }
    const [, key, value] = /^(\w+)=(.*)$/.exec(line) ?? [];
    assert.ok(key !== undefined && value !== undefined, `${unit}: "${line}" is a setting`);
    found.set(`${section}.${key}`, [...(found.get(`${section}.${key}`) ?? []), value]);
  }
  return found;
}

function drainSecondsOf(unit: ReadonlyMap<string, readonly string[]>): number {
  const line = unit.get('Service.Environment')?.find((text) => text.startsWith('SHOAL_DRAIN_SECONDS='));
  assert.ok(line !== undefined, 'a unit says how long it drains');
  return Number(line.split('=')[1]);
}

describe('deploy/systemd', () => {
  it('has a unit for each service, one for a whole peer, and a target', () => {
    const expected = [...SERVICES.map((service) => `shoal-${service}.service`), 'shoal.target', 'shoal@.service'];
    assert.deepEqual(UNITS, expected.sort());
  });

  for (const service of SERVICES) {
    it(`shoal-${service}.service runs that service, and the target starts and stops it`, () => {
      const unit = read(`shoal-${service}.service`);
      assert.deepEqual(unit.get('Service.ExecStart'), [`/usr/bin/env shoal serve ${service}`]);
      assert.deepEqual(unit.get('Unit.PartOf'), ['shoal.target']);
      assert.deepEqual(unit.get('Install.WantedBy'), ['shoal.target']);
      const environment = unit.get('Service.Environment') ?? [];
      assert.ok(environment.includes('SHOAL_HOME=/var/lib/shoal'));
      const separate = environment.find((line) => line.startsWith('SHOAL_SEPARATE='))?.split('=')[1];
      assert.deepEqual(separate?.split(',').sort(), [...SERVICES].sort());
      const after = unit.get('Unit.After')?.[0]?.split(' ') ?? [];
      for (const other of after.filter((name) => name.startsWith('shoal-'))) assert.ok(UNITS.includes(other), other);
    });
  }

  it('the target starts all of them but what only a backup host has', () => {
    const wanted = SERVICES.filter((service) => service !== 'couchdb').map((service) => `shoal-${service}.service`);
    assert.deepEqual(read('shoal.target').get('Unit.Wants')?.[0]?.split(' ').sort(), wanted.sort());
  });

  for (const name of SERVICE_UNITS) {
    it(`${name} may do no more than a peer needs, and has the time to end well`, () => {
      const unit = read(name);
      for (const [key, value] of Object.entries(HARDENED)) assert.deepEqual(unit.get(`Service.${key}`), [value], key);
      assert.ok(!unit.has('Service.MemoryDenyWriteExecute'), 'Node compiles at run time');
      const patience = Number(unit.get('Service.TimeoutStopSec')?.[0]);
      assert.ok(patience >= drainSecondsOf(unit) + 20, 'what is given back after that takes a while, too');
      assert.deepEqual(unit.get('Service.Restart'), ['always']);
    });
  }

  it('systemd has nothing to say against them', needs('systemd-analyze'), () => {
    const files = UNITS.map((name) => join(FOLDER, name.replace('@.', '@home.')));
    const { status, stderr } = spawnSync('systemd-analyze', ['--man=no', 'verify', ...files], {
      encoding: 'utf8',
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${FOLDER}:` },
    });
    const ours = stderr.split('\n').filter((line) => line.includes('shoal'));
    assert.deepEqual(ours, []);
    assert.equal(status, 0, stderr);
  });
});
