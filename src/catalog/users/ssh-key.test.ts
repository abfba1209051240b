import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { StorageError } from '../../errors.js';
import { MAX_SSH_KEY_NAME_CHARS } from '../../limits.js';
import { sampleSshKey } from '../../../test/contract/catalog-samples.js';
import { formatFingerprint, parseSshKey, sshFingerprint } from './ssh-key.js';

function refuses(line: string, reason: RegExp): void {
  assert.throws(
    () => parseSshKey(line, '', 1),
    (error) => StorageError.is(error, 'INVALID_ARGUMENT') && reason.test(error.message),
  );
}

/** A public RSA key as ssh-keygen writes it. */
function rsaKey(modulusLength: number): string {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength });
  const { e = '', n = '' } = publicKey.export({ format: 'jwk' });
  const field = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const number = (text: string): Buffer => field(Buffer.concat([Buffer.alloc(1), Buffer.from(text, 'base64url')]));
  const blob = Buffer.concat([field(Buffer.from('ssh-rsa')), number(e), number(n)]);
  return `ssh-rsa ${blob.toString('base64')}`;
}

test('a key as ssh-keygen writes it', () => {
  // From `ssh-keygen -l -f`.
  const line = `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${'A'.repeat(43)} ann@laptop`;
  const key = parseSshKey(line, '', 5);
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  assert.deepEqual(key, {
    fingerprint: sshFingerprint(blob),
    algorithm: 'ssh-ed25519',
    name: 'ann@laptop',
    addedMs: 5,
  });
  assert.match(formatFingerprint(key.fingerprint), /^SHA256:[A-Za-z0-9+/]{43}$/);
  assert.equal(parseSshKey(line, 'my laptop', 5).name, 'my laptop');
  assert.equal(parseSshKey(sampleSshKey(''), '', 5).name, 'ssh-ed25519');
  assert.equal(parseSshKey(rsaKey(2048), 'rsa', 5).algorithm, 'ssh-rsa');
});

test('names are for people: no orders to a terminal, and not too long', () => {
  assert.equal(parseSshKey(sampleSshKey('a\u202eb\u001b[31mc'), '', 5).name, 'ab[31mc');
  assert.equal(Array.from(parseSshKey(sampleSshKey('😀'.repeat(99)), '', 5).name).length, MAX_SSH_KEY_NAME_CHARS);
});

test('what is no key, or no good one', () => {
  refuses('', /not taken/);
  refuses('-----BEGIN OPENSSH PRIVATE KEY----- x', /private key/);
  refuses(`${sampleSshKey('a')}${sampleSshKey('b')}`, /one line/);
  refuses('ssh-dss AAAAB3NzaC1kc3M= x', /not taken/);
  refuses('ssh-ed25519 !!!! x', /base64/);
  refuses(sampleSshKey('x').replace('ssh-ed25519 ', 'ssh-rsa '), /first word/);
  refuses(sampleSshKey('x', new Uint8Array(31)), /32 bytes/);
  refuses(rsaKey(1024), /2048 bits/);
});
