import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { REPOSITORY, tableRows } from '../test/repository.js';
import { OPTIONS, readConfig } from './config.js';
import { DEFAULT_RESERVE_BYTES } from './limits.js';

/** Settings for which nothing is a value. */
const LISTS: ReadonlySet<string> = new Set(['separate', 'webHosts']);

describe('readConfig', () => {
  let home: string;

  before(() => {
    home = mkdtempSync(join(tmpdir(), 'shoal-config-'));
  });
  after(() => {
    rmSync(home, { recursive: true, force: true });
  });

  function writeSettings(text: string): void {
    writeFileSync(join(home, 'config.json'), text);
  }

  it('has a default for everything', () => {
    rmSync(join(home, 'config.json'), { force: true });
    const config = readConfig({ home }, {});
    const { workers, stripesPerWorker, ...rest } = config;
    assert.ok(workers >= 1 && workers <= 4);
    assert.equal(stripesPerWorker, workers === 1 ? 2 : 1);
    assert.deepEqual(rest, {
      home,
      listen: '127.0.0.1:8485',
      reserveBytes: DEFAULT_RESERVE_BYTES,
      capacityBytes: undefined,
      address: undefined,
      web: '127.0.0.1:8484',
      webHosts: [],
      sftp: '127.0.0.1:2022',
      scrubDays: 30,
      scrubMegabytes: 16,
      separate: [],
      drainSeconds: 10,
      graceHours: 24,
      auditsPerHour: 60,
      repairMegabytes: 32,
      couch: undefined,
      log: 'info',
    });
    assert.ok(Object.isFrozen(config));
  });

  it('takes a flag before the environment, the environment before the file, the file before a default', () => {
    writeSettings('{"listen": "192.0.2.1:1", "log": "warn", "workers": 3}');
    const environment = { SHOAL_LISTEN: '192.0.2.2:2', SHOAL_LOG: 'error' };
    assert.equal(readConfig({ home, listen: '[2001:db8::1]:3' }, environment).listen, '[2001:db8::1]:3');
    const config = readConfig({ home }, environment);
    assert.deepEqual([config.listen, config.log, config.workers], ['192.0.2.2:2', 'error', 3]);
    assert.equal(readConfig({ home }, {}).listen, '192.0.2.1:1');
  });

  it('reads numbers from text', () => {
    writeSettings('{}');
    const environment = { SHOAL_WORKERS: '0', SHOAL_CAPACITY_BYTES: '1000000', SHOAL_RESERVE_BYTES: '0' };
    const { workers, capacityBytes, reserveBytes } = readConfig({ home }, environment);
    assert.deepEqual([workers, capacityBytes, reserveBytes], [0, 1_000_000, 0]);
  });

  it('refuses a variable that nobody knows, and leaves those of others alone', () => {
    assert.throws(() => readConfig({ home }, { SHOAL_WORKER: '2' }), {
      code: 'INVALID_ARGUMENT',
      message: /sets SHOAL_WORKER, which .* SHOAL_WORKERS/,
    });
    readConfig({ home }, { SHOAL_HOME: home, HOME: '/', SHOALS: '1' });
  });

  for (const [variable, value] of [
    ['SHOAL_LISTEN', 'nowhere'],
    ['SHOAL_LISTEN', 'host:port'],
    ['SHOAL_LISTEN', 'a b:1'],
    ['SHOAL_WORKERS', '-1'],
    ['SHOAL_WORKERS', '1.5'],
    ['SHOAL_WORKERS', '65'],
    ['SHOAL_WORKERS', '0x2'],
    ['SHOAL_WORKERS', 'many'],
    ['SHOAL_CAPACITY_BYTES', '0'],
    ['SHOAL_RESERVE_BYTES', 'NaN'],
    ['SHOAL_GRACE_HOURS', '-1'],
    ['SHOAL_GRACE_HOURS', 'NaN'],
    ['SHOAL_GRACE_HOURS', '8761'],
    ['SHOAL_GRACE_HOURS', '1e3'],
    ['SHOAL_AUDITS_PER_HOUR', '-1'],
    ['SHOAL_AUDITS_PER_HOUR', '3601'],
    ['SHOAL_REPAIR_MEGABYTES', '-0.5'],
    ['SHOAL_REPAIR_MEGABYTES', '100001'],
    ['SHOAL_SCRUB_MEGABYTES', '-1'],
    ['SHOAL_SCRUB_MEGABYTES', '1000001'],
    ['SHOAL_SCRUB_DAYS', '0'],
    ['SHOAL_SCRUB_DAYS', '3651'],
    ['SHOAL_STRIPES_PER_WORKER', '0'],
    ['SHOAL_LOG', 'loud'],
    ['SHOAL_SEPARATE', 'pouch'],
    ['SHOAL_SEPARATE', 'pouchdb,'],
  ] as const) {
    it(`refuses ${variable}=${value}, and names it`, () => {
      assert.throws(
        () => readConfig({ home }, { [variable]: value }),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'INVALID_ARGUMENT');
          assert.ok(error.message.includes(variable) && error.message.includes(value), error.message);
          return true;
        },
      );
    });
  }

  it('refuses an empty value instead of taking it for 0', () => {
    for (const { variable } of OPTIONS.filter(({ name }) => !LISTS.has(name))) {
      assert.throws(() => readConfig({ home }, { [variable]: '' }), { code: 'INVALID_ARGUMENT' }, variable);
    }
  });

  it('takes an empty list for what it is', () => {
    assert.deepEqual(readConfig({ home }, { SHOAL_SEPARATE: '' }).separate, []);
    assert.deepEqual(readConfig({ home }, { SHOAL_WEB_HOSTS: '' }).webHosts, []);
    const environment = { SHOAL_SEPARATE: 'pouchdb,db-service' };
    assert.deepEqual(readConfig({ home }, environment).separate, ['pouchdb', 'db-service']);
  });

  for (const [what, text] of [
    ['no JSON', '{'],
    ['no object', '[]'],
    ['an unknown setting', '{"port": 1}'],
    ['a wrong value', '{"workers": "many"}'],
    ['a value of another type', '{"workers": true}'],
  ] as const) {
    it(`refuses a file with ${what}`, () => {
      writeSettings(text);
      assert.throws(() => readConfig({ home }, {}), { code: 'INVALID_ARGUMENT' });
    });
  }
});

describe('docs/configuration.md', () => {
  it('says of every option what the code says', () => {
    const rows = tableRows('docs/configuration.md').slice(-OPTIONS.length);
    assert.deepEqual(
      rows.map(([variable, name, , about]) => [variable, name, about]),
      OPTIONS.map(({ variable, name, about }) => [variable, name, about]),
    );
    const { reserveBytes } = readConfig({ home: REPOSITORY }, {});
    const defaults = Object.fromEntries(rows.map(([, name = '', value = '']) => [name, value]));
    assert.equal(defaults['reserveBytes'], `${String(reserveBytes)} (512 MiB)`);
    assert.equal(defaults['listen'], '127.0.0.1:8485');
    assert.equal(defaults['stripesPerWorker'], '1; 2 for one worker');
    assert.equal(defaults['log'], 'info');
  });

  it('names nothing that is not there', () => {
    const page = readFileSync(join(REPOSITORY, 'docs', 'configuration.md'), 'utf8');
    const known = new Set([...OPTIONS.map(({ variable }) => variable), 'SHOAL_HOME', 'SHOAL_']);
    for (const [name] of page.matchAll(/SHOAL_[A-Z_]*/g)) assert.ok(known.has(name), name);
  });
});
