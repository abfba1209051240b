import assert from 'node:assert/strict';
import { test } from 'node:test';
import ssh2, { type AuthContext } from 'ssh2';
import type { Catalog } from '../../catalog/catalog.js';
import { parseSshKey } from '../../catalog/users/ssh-key.js';
import { StorageError } from '../../errors.js';
import { MAX_SFTP_LOGINS } from '../../limits.js';
import { silentLogger } from '../../log.js';
import { UserSessions } from '../../services/user-sessions.js';
import { Login } from './login.js';

const made = ssh2.utils.generateKeyPairSync('ed25519');
const other = ssh2.utils.generateKeyPairSync('ed25519');
const rsa = ssh2.utils.generateKeyPairSync('rsa', { bits: 2048 });
const BLOB = Buffer.from('what is signed');

function parsed(text: string): ssh2.ParsedKey {
  const key = ssh2.utils.parseKey(text);
  assert.ok(!(key instanceof Error));
  return key;
}

function login(): Login {
  const keys = [made.public, rsa.public].map((line) => parseSshKey(line, 'x', 1));
  const catalog = {
    sshKeys: async (name: string) => {
      if (name === 'ann') return keys;
      throw new StorageError('NOT_FOUND', 'nobody');
    },
  } as unknown as Catalog;
  return new Login({ catalog, sessions: new UserSessions(catalog), logger: silentLogger() });
}

interface Offer {
  readonly username?: string;
  readonly key?: string;
  readonly algo?: string;
  readonly hashAlgo?: string;
  readonly signature?: Buffer;
}

/** @returns what was decided, and what the client was told */
async function offer(by: Login, { username = 'ann', key = made.public, algo, ...signed }: Offer): Promise<unknown[]> {
  const told: string[] = [];
  const offered = parsed(key);
  const attempt = {
    ...{ method: 'publickey', username, blob: signed.signature && BLOB, ...signed },
    key: { algo: algo ?? offered.type, data: offered.getPublicSSH() },
    accept: () => told.push('accepted'),
    reject: () => told.push('rejected'),
  } as unknown as AuthContext;
  return [await by.decide(attempt), ...told];
}

const sign = (key: string, hash?: string): Buffer => parsed(key).sign(BLOB, hash);

test('a key of the user that signs lets in', async () => {
  assert.deepEqual(await offer(login(), { signature: sign(made.private) }), [{ user: 'ann', by: 'key' }, 'accepted']);
  const signature = sign(rsa.private, 'sha256');
  const good = { key: rsa.public, algo: 'rsa-sha2-256', hashAlgo: 'sha256', signature };
  assert.deepEqual(await offer(login(), good), [{ user: 'ann', by: 'key' }, 'accepted']);
});

test('asking whether a key would do lets nobody in', async () => {
  assert.deepEqual(await offer(login(), {}), [undefined, 'accepted']);
  assert.deepEqual(await offer(login(), { key: other.public }), [undefined, 'rejected']);
  assert.deepEqual(await offer(login(), { username: 'bob' }), [undefined, 'rejected']);
});

test('a signature of another key, a broken one, and one with SHA-1 do not', async () => {
  for (const wrong of [
    { signature: sign(other.private) },
    { signature: Buffer.alloc(0) },
    { signature: Buffer.alloc(5) },
    { signature: Buffer.alloc(64) },
    { key: other.public, signature: sign(other.private) },
    { username: 'bob', signature: sign(made.private) },
    { key: rsa.public, algo: 'rsa-sha2-256', hashAlgo: 'sha256', signature: Buffer.alloc(5) },
    { key: rsa.public, algo: 'rsa-sha2-256', hashAlgo: 'no such hash', signature: sign(rsa.private, 'sha256') },
    { key: rsa.public, algo: 'ssh-rsa', signature: sign(rsa.private, 'sha1') },
    { algo: 'ssh-dss', signature: sign(made.private) },
  ]) {
    assert.deepEqual(await offer(login(), wrong), [undefined, 'rejected']);
  }
});

test('a connection does not try for ever', async () => {
  const one = login();
  for (let tries = 0; tries < MAX_SFTP_LOGINS; tries++) await offer(one, { key: other.public });
  assert.deepEqual(await offer(one, {}), ['end']);
});
