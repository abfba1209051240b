import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { likelyAddresses, type Interfaces } from './reachable.js';

const of = (address: string, family = 'IPv4', internal = false): NonNullable<Interfaces[string]>[number] => ({
  address,
  family,
  internal,
});

describe('likelyAddresses', () => {
  it('puts the local network first, public addresses next, IPv6 after them and this machine last', () => {
    const interfaces: Interfaces = {
      lo: [of('127.0.0.1', 'IPv4', true), of('::1', 'IPv6', true)],
      wan: [of('2001:db8::7', 'IPv6'), of('203.0.113.9')],
      lan: [of('192.168.1.20')],
    };
    assert.deepEqual(likelyAddresses(8485, interfaces), [
      '192.168.1.20:8485',
      '203.0.113.9:8485',
      '[2001:db8::7]:8485',
      '127.0.0.1:8485',
    ]);
  });

  it('leaves out what others cannot reach', () => {
    const interfaces: Interfaces = {
      lan: [of('169.254.3.4'), of('fe80::1', 'IPv6')],
      docker0: [of('172.17.0.1')],
      gone: undefined,
    };
    assert.deepEqual(likelyAddresses(9000, interfaces), ['127.0.0.1:9000']);
  });
});
