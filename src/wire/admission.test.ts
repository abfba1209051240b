import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { PeerId } from '../chunk/ids.js';
import { parsePeerId } from '../chunk/ids.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  type NetworkAuthority,
} from '../crypto/certificates.js';
import { peerIdOf } from '../crypto/peer-identity.js';
import { StorageError, type ErrorCode } from '../errors.js';
import { admissionByHeader, CERTIFICATE_HEADER, escapeCertificate, type AnyCall } from './admission.js';

const DAY_MS = 24 * 60 * 60 * 1000;

function call(...values: string[]): AnyCall {
  return {
    metadata: { get: (name) => (name === CERTIFICATE_HEADER ? values : []) },
    getAuthContext: () => ({}),
  };
}

function code(expected: ErrorCode): (error: unknown) => boolean {
  return (error) => StorageError.is(error, expected);
}

async function issue(authority: NetworkAuthority, nowMs: number): Promise<Uint8Array> {
  const { publicKey } = newPeerKeyPair();
  return await issueCertificate(authority, { publicKey, name: 'peer', days: 1, hosts: [], nowMs });
}

describe('admission by header', () => {
  const startMs = Date.now();
  const members = new Set<PeerId>();
  let authority: NetworkAuthority, certificate: Uint8Array, shown: string, nowMs: number;
  const open = (): ReturnType<typeof admissionByHeader> =>
    admissionByHeader({
      authority: authority.certificate,
      isMember: (peer) => members.has(peer),
      nowMs: () => nowMs,
    });

  before(async () => {
    nowMs = startMs;
    authority = await createAuthority('network', startMs);
    certificate = await issue(authority, startMs);
    shown = escapeCertificate(certificateToPem(certificate));
    members.add(parsePeerId(peerIdOf(certificate)));
  });

  it('knows a member by the certificate that the front has verified', () => {
    const admission = open();
    for (let each = 0; each < 2; each++) assert.equal(admission.admit(call(shown)), peerIdOf(certificate));
    assert.deepEqual(Buffer.from(admission.certificate(call(shown)) ?? []), Buffer.from(certificate));
  });

  it('reads what nginx writes, which escapes less', () => {
    const pem = certificateToPem(certificate);
    const asNginx = pem.replace(/[^A-Za-z0-9._~=/-]/g, (char) => encodeURIComponent(char));
    assert.equal(open().admit(call(asNginx)), peerIdOf(certificate));
  });

  it('verifies it again: authority, dates, membership', async () => {
    const admission = open();
    const foreign = await issue(await createAuthority('network', startMs), startMs);
    const stranger = call(escapeCertificate(certificateToPem(foreign)));
    assert.throws(() => admission.admit(stranger), code('UNAUTHENTICATED'));
    assert.equal(admission.certificate(stranger), undefined);
    admission.admit(call(shown));
    for (const away of [2 * DAY_MS, -2 * DAY_MS]) {
      nowMs = startMs + away;
      assert.throws(() => admission.admit(call(shown)), code('UNAUTHENTICATED'));
      assert.equal(admission.certificate(call(shown)), undefined);
    }
    nowMs = startMs;
    members.clear();
    assert.throws(() => admission.admit(call(shown)), code('PERMISSION_DENIED'));
    assert.notEqual(admission.certificate(call(shown)), undefined);
    members.add(parsePeerId(peerIdOf(certificate)));
  });

  it('takes nothing else', () => {
    const admission = open();
    for (const values of [
      [],
      [''],
      [shown, shown],
      [`${shown}, ${shown}`],
      ['%'],
      ['x'.repeat(10_000)],
      [shown.slice(9)],
    ]) {
      assert.throws(() => admission.admit(call(...values)), code('UNAUTHENTICATED'), values.join());
    }
    assert.equal(admission.certificate(call()), undefined);
  });
});
