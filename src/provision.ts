import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { toHex } from './bytes.js';
import { LocalCatalog } from './catalog/local-catalog.js';
import { parsePeerId, type PeerId } from './chunk/ids.js';
import {
  certificateToPem,
  createAuthority,
  issueCertificate,
  newPeerKeyPair,
  privateKeyToPem,
  type NetworkAuthority,
} from './crypto/certificates.js';
import { peerIdOf } from './crypto/peer-identity.js';
import { HOME, writeDurably, writeIdentity } from './home.js';
import { silentLogger } from './log.js';
import type { PeerRecord } from './peers/peer-record.js';

export interface DevnetPeerRequest {
  readonly n: number;
  readonly port: number;
  readonly zone: string;
  readonly name: string;
}

export interface DevnetRequest {
  readonly dir: string;
  readonly peers: readonly DevnetPeerRequest[];
  readonly tolerate?: number;
  /** Of the user `demo`. */
  readonly passphrase: string;
}

interface NewPeer {
  readonly request: DevnetPeerRequest;
  readonly home: string;
  readonly record: PeerRecord;
}

const DAYS = 825;
const HOST = '127.0.0.1';
/** Equal weights: all peers of a devnet share one disk. */
const CAPACITY_BYTES = 2 ** 40;

/** Makes a network on one machine: its authority, the home of each peer, and the user `demo` at home on all of them. */
export async function provisionDevnet(request: DevnetRequest): Promise<{
  readonly peers: { readonly n: number; readonly id: PeerId; readonly home: string; readonly address: string }[];
}> {
  const name = `devnet-${toHex(randomBytes(3))}`;
  const authority = await createAuthority(name, Date.now());
  const peers: NewPeer[] = [];
  for (const peer of request.peers) peers.push(await makePeer(request.dir, peer, authority));
  const network = {
    id: toHex(randomBytes(16)),
    name,
    authority: authority.certificate,
    ...(request.tolerate === undefined ? {} : { tolerate: request.tolerate }),
  };
  let user: Uint8Array | undefined;
  for (const { home, record } of peers) {
    await using catalog = await LocalCatalog.open({
      directory: join(home, HOME.documents),
      peer: record.id,
      logger: silentLogger(),
    });
    await catalog.setNetwork(network);
    for (const other of peers) await catalog.setPeer(other.record);
    if (user === undefined) {
      await catalog.createUser('demo', request.passphrase);
      user = await catalog.exportUser('demo');
    } else {
      await catalog.importUser(user);
    }
  }
  return {
    peers: peers.map(({ request: { n }, home, record: { id, address } }) => ({ n, id, home, address })),
  };
}

/** A key pair that never leaves the home, and a certificate for it. */
async function makePeer(dir: string, request: DevnetPeerRequest, authority: NetworkAuthority): Promise<NewPeer> {
  const home = join(dir, `peer-${String(request.n)}`);
  const address = `${HOST}:${String(request.port)}`;
  const { publicKey, privateKey } = newPeerKeyPair();
  const certificate = await issueCertificate(authority, {
    publicKey,
    name: request.name,
    days: DAYS,
    hosts: [HOST],
    nowMs: Date.now(),
  });
  await writeIdentity(home, {
    key: privateKeyToPem(privateKey),
    certificate: certificateToPem(certificate),
    authority: authority.certificate,
  });
  await writeDurably(join(home, 'config.json'), `${JSON.stringify({ listen: address })}\n`);
  const id = parsePeerId(peerIdOf(certificate));
  const { name, zone } = request;
  return {
    request,
    home,
    record: { id, address, name, zone, capacityBytes: CAPACITY_BYTES, state: 'member', certificate },
  };
}
