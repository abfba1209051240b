import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { toHex } from './bytes.js';
import { LocalCatalog } from './catalog/local-catalog.js';
import type { Membership } from './catalog/records/membership.js';
import {
  NETWORK_RECORD_ID,
  type NetworkTerms,
  peerRecordId,
  writeNetwork,
  writePeer,
} from './catalog/records/network-records.js';
import { toRecordDocument } from './catalog/records/record-kind.js';
import type { PeerId } from './chunk/ids.js';
import { createAuthority, privateKeyToPem, type NetworkAuthority } from './crypto/certificates.js';
import type { Document } from './documents/document-database.js';
import { newIdentity } from './enrolment/create-network.js';
import { StorageError } from './errors.js';
import { changeSettings, HOME, writeAuthorityKey, writeIdentity } from './home.js';
import { silentLogger } from './log.js';
import type { PeerProfile } from './peers/peer-record.js';

export interface DevnetPeerRequest {
  readonly n: number;
  readonly port: number;
  readonly zone: string;
  readonly name: string;
  /** Of the web UI, on 127.0.0.1; absent: it has none. */
  readonly webPort?: number;
  /** Of its SFTP; absent: it has none. */
  readonly sftpPort?: number;
}

export interface DevnetRequest {
  readonly dir: string;
  readonly peers: readonly DevnetPeerRequest[];
  readonly tolerate?: number;
  /** The first so many peers host the databases of all others; two unless given, or as many as there are. */
  readonly backupHosts?: number;
  /** Of the user `demo`. */
  readonly passphrase: string;
}

interface NewPeer {
  readonly request: DevnetPeerRequest;
  readonly home: string;
  readonly profile: PeerProfile;
  readonly membership: Membership;
}

/** Of a devnet's certificates: it may lie for long before somebody starts it again, and nobody invites its peers anew. */
const DAYS = 825;
const HOST = '127.0.0.1';
/** Equal weights: all peers of a devnet share one disk. */
const CAPACITY_BYTES = 2 ** 40;

/** As many as lets one of them be away. */
const BACKUP_HOSTS = 2;
/** Of the records that a network begins with. */
const FIRST_COUNTER = 1;

/**
 * Makes a network on one machine: its authority, whose key lies in the home of the first peer, the home of each peer, and
 * the user `demo`. Every home gets all records, so that the peers find each other before anything is replicated: the same
 * bytes make the same revisions, and replication finds nothing to do.
 */
export async function provisionDevnet(request: DevnetRequest): Promise<{
  readonly peers: { readonly n: number; readonly id: PeerId; readonly home: string; readonly address: string }[];
}> {
  const name = `devnet-${toHex(randomBytes(3))}`;
  const authority = await createAuthority(name, Date.now());
  const backupHosts = request.backupHosts ?? Math.min(BACKUP_HOSTS, request.peers.length);
  const peers: NewPeer[] = [];
  for (const [index, peer] of request.peers.entries()) {
    const role = { first: index === 0, backup: index < backupHosts };
    peers.push(await makePeer(request.dir, peer, { authority, ...role }));
  }
  const { tolerate } = request;
  const authorities = peers.slice(0, 1).map(({ profile }) => profile.id);
  const records = firstRecords({ name, authorities, ...(tolerate === undefined ? {} : { tolerate }) }, peers);
  let user: Uint8Array | undefined;
  for (const { home, membership } of peers) {
    await using catalog = await LocalCatalog.open({
      directory: join(home, HOME.documents),
      state: join(home, HOME.state),
      membership,
      logger: silentLogger(),
    });
    await catalog.takeRecords(records);
    if (user === undefined) {
      await catalog.createUser('demo', request.passphrase);
      user = await catalog.exportUser('demo');
    } else {
      await catalog.importUser(user);
    }
  }
  return {
    peers: peers.map(({ request: { n }, home, profile: { id, address } }) => ({ n, id, home, address })),
  };
}

/** The policy, signed by the authority, and each peer's word on itself. */
function firstRecords(policy: NetworkTerms, peers: readonly NewPeer[]): Document[] {
  const issue = { counter: FIRST_COUNTER, issuedMs: Date.now() };
  const [first] = peers;
  if (first?.membership.signAsAuthority === undefined) {
    throw new StorageError('INVALID_ARGUMENT', 'A network begins with one peer at least.');
  }
  const { network, signAsAuthority } = first.membership;
  const documents = [
    toRecordDocument('network', NETWORK_RECORD_ID, writeNetwork(policy, network, { ...issue, sign: signAsAuthority })),
  ];
  for (const { profile, membership } of peers) {
    const signed = writePeer(profile, network, { ...issue, sign: membership.signAsPeer });
    documents.push(toRecordDocument('peer', peerRecordId(profile.id), signed));
  }
  return documents;
}

interface Role {
  readonly authority: NetworkAuthority;
  /** Keeps the authority's key. */
  readonly first: boolean;
  readonly backup: boolean;
}

/** A key pair that never leaves the home, and a certificate for it. */
async function makePeer(dir: string, request: DevnetPeerRequest, role: Role): Promise<NewPeer> {
  const { authority, first, backup } = role;
  const home = join(dir, `peer-${String(request.n)}`);
  const address = `${HOST}:${String(request.port)}`;
  const { name, zone } = request;
  const identity = { name, days: DAYS, nowMs: Date.now(), isAuthority: first };
  const { files, membership } = await newIdentity(authority, identity);
  await writeIdentity(home, files);
  if (first) await writeAuthorityKey(home, privateKeyToPem(authority.privateKey));
  const at = (port: number | undefined): string => (port === undefined ? 'off' : `${HOST}:${String(port)}`);
  await changeSettings(home, { listen: address, web: at(request.webPort), sftp: at(request.sftpPort) });
  const { peer: id, certificate } = membership;
  const profile = { id, address, name, zone, capacityBytes: CAPACITY_BYTES, backup, certificate };
  return { request, home, profile, membership };
}
