import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clientConfig, knownHost, serverConfig } from './ssh-config.js';

const PLACES = {
  port: 20022,
  user: 'ada',
  hostKey: '/t/host-key',
  userKey: '/t/user-key',
  authorizedKeys: '/t/user-key.pub',
  knownHosts: '/t/known-hosts',
};

describe('the private SSH server', () => {
  it('is reached from this machine only, by one user with one key', () => {
    const lines = serverConfig(PLACES).split('\n');
    for (const line of [
      'ListenAddress 127.0.0.1',
      'AllowUsers ada',
      'PasswordAuthentication no',
      'AuthorizedKeysFile /t/user-key.pub',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });

  it('is known to its client by its key, under its port', () => {
    const lines = clientConfig(PLACES).split('\n');
    assert.ok(lines.includes('StrictHostKeyChecking yes') && lines.includes('UserKnownHostsFile /t/known-hosts'));
    assert.equal(knownHost(20022, 'ssh-ed25519 AAAA bench\n'), '[127.0.0.1]:20022 ssh-ed25519 AAAA bench\n');
  });
});
