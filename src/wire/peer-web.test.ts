import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { it } from 'node:test';
import { parsePeerId } from '../chunk/ids.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  privateKeyToPem,
} from '../crypto/certificates.js';
import { peerIdOf } from '../crypto/peer-identity.js';
import { LiveTls } from './live-tls.js';
import { PeerWeb } from './peer-web.js';
import { secureContextOptions } from './tls.js';

it('a renewed certificate is shown from the next request on', async () => {
  const authority = await createAuthority('test', Date.now());
  const { publicKey, privateKey } = newPeerKeyPair();
  const issue = async (): Promise<string> =>
    certificateToPem(
      await issueCertificate(authority, { publicKey, name: 'both', days: 1, hosts: [], nowMs: Date.now() }),
    );
  const [first, second] = [await issue(), await issue()];
  const tls = new LiveTls({
    key: privateKeyToPem(privateKey),
    certificate: first,
    authority: authority.certificate,
  });
  const shown: string[] = [];
  const server = createServer({ ...secureContextOptions(tls), requestCert: true }, ({ socket }, response) => {
    assert.ok(socket instanceof TLSSocket);
    shown.push(certificateToPem(socket.getPeerCertificate().raw));
    response.end('{}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const web = new PeerWeb({
    id: parsePeerId(peerIdOf(publicKey)),
    address: `127.0.0.1:${String(port)}`,
    tls,
    prefix: '',
  });
  const ask = async (): Promise<void> => {
    const call = { method: 'GET', path: '/', idleTimeoutMs: 5000, signal: new AbortController().signal } as const;
    for await (const part of (await web.send(call)).body) assert.ok(part.length > 0);
  };
  try {
    await ask();
    tls.replace(second);
    await ask();
    await ask();
    assert.deepEqual(shown, [first, second, second]);
  } finally {
    web.close();
    server.closeAllConnections();
    server.close();
  }
});
