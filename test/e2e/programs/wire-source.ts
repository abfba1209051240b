import { readFileSync } from 'node:fs';
import { segmentsOf } from '../../../src/chunk/chunk-store.js';
import { describeChunk } from '../../../src/chunk/segments.js';
import { parsePeerId } from '../../../src/chunk/ids.js';
import { peerIdOf } from '../../../src/crypto/peer-identity.js';
import { certificateToDer } from '../../../src/crypto/certificates.js';
import { SEGMENT_BYTES } from '../../../src/limits.js';
import { RemoteStore } from '../../../src/wire/remote-store.js';
import type { TlsIdentity } from '../../../src/wire/tls.js';
import { TestUser } from '../../wire/network.js';
import { SeededNumbers, seededBytes } from './seeded.js';

/**
 * wire-source IDENTITY TARGET_CERTIFICATE PORT SEED [STOP]: puts chunks at a peer, two at once, until it is killed, and says
 * "open" and, of each that was acknowledged, "stored ID BYTES SEED". With STOP it puts one chunk of SEED and kills itself
 * when it has given away that many segments.
 */
const [, , identity = '', certificatePem = '', port = '', seed = '', stop] = process.argv;
const tls = JSON.parse(readFileSync(identity, 'utf8')) as TlsIdentity;
const self = parsePeerId(peerIdOf(certificateToDer(tls.certificate)));
const certificate = certificateToDer(readFileSync(certificatePem, 'utf8'));
const peer = { id: parsePeerId(peerIdOf(certificate)), address: `127.0.0.1:${port}`, certificate };
const store = RemoteStore.open({ peer, tls });
const user = new TestUser();
const { signal } = new AbortController();

async function put(of: string, bytes: number, stopAfter = Infinity): Promise<void> {
  const content = seededBytes(of, bytes);
  const shape = describeChunk(content);
  const { label, grant } = user.authorize(shape, self);
  await store.put(
    { ...shape, owner: user.id, label },
    async function* (missing) {
      yield* segmentsOf(content, SEGMENT_BYTES)(missing.slice(0, stopAfter));
      if (missing.length > stopAfter) process.kill(process.pid, 'SIGKILL');
    },
    { signal, grant },
  );
  process.stdout.write(`stored ${shape.id} ${String(bytes)} ${of}\n`);
}

async function lane(name: string): Promise<void> {
  const numbers = new SeededNumbers(`${seed} ${name}`);
  for (let turn = 0; ; turn++) await put(`${seed}-${name}-${String(turn)}`, 200 + numbers.below(20 * SEGMENT_BYTES));
}

process.stdout.write('open\n');
if (stop === undefined) await Promise.all([lane('a'), lane('b')]);
else await put(seed, 32 * SEGMENT_BYTES, Number(stop));
