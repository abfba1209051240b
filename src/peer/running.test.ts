import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfig, SERVICES, type Config, type Service } from '../config.js';
import { controlSocketOf } from '../services/service-names.js';
import { servicesOf } from './running.js';

function config(...separate: readonly Service[]): Config {
  return readConfig({ home: '/nowhere' }, { SHOAL_SEPARATE: separate.join(',') });
}

describe('servicesOf', () => {
  it('is everything that is not separate, or what was asked for', () => {
    assert.deepEqual([...servicesOf(config(), undefined)], [...SERVICES]);
    const left = servicesOf(config('pouchdb', 'front'), undefined);
    assert.deepEqual([...left], ['couchdb', 'db-service', 'file-receiver', 'file-sender', 'gateway']);
    assert.deepEqual([...servicesOf(config(...SERVICES), 'file-sender')], ['file-sender']);
    assert.deepEqual([...servicesOf(config('couchdb'), 'couchdb')], ['couchdb']);
  });

  it('refuses what does not go together, and says what to set', () => {
    const refused = (message: RegExp, alone: Service | undefined, ...separate: readonly Service[]): void => {
      assert.throws(() => servicesOf(config(...separate), alone), { code: 'INVALID_ARGUMENT', message });
    };
    refused(/name front too/, undefined, 'file-sender');
    refused(/name front too/, 'file-receiver', 'file-receiver');
    refused(/The peer runs gateway itself/, 'gateway');
    refused(/name pouchdb too/, 'db-service', 'db-service');
    refused(/start each by its name/, undefined, ...SERVICES);
  });
});

describe('controlSocketOf', () => {
  it('is the socket of the process that runs the service', () => {
    assert.equal(controlSocketOf(undefined, []), 'control');
    assert.equal(controlSocketOf('file-sender', []), 'control');
    assert.equal(controlSocketOf('file-sender', ['front', 'file-sender']), 'file-sender-control');
    assert.equal(controlSocketOf('gateway', ['gateway']), 'control');
    assert.equal(controlSocketOf('pouchdb', ['gateway']), 'peer-control');
  });
});
