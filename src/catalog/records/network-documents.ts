import { isDeepStrictEqual } from 'node:util';
import type { PeerId, UserId } from '../../chunk/ids.js';
import type { Signer } from '../../crypto/succession.js';
import type { Document, DocumentDatabase } from '../../documents/document-database.js';
import { StorageError } from '../../errors.js';
import type { PeerProfile, PeerRecord } from '../../peers/peer-record.js';
import type { RecordMemory } from '../../store/record-memory.js';
import type { NetworkPolicy, NetworkRecord, UserHome } from '../catalog.js';
import { homeKind, homeRecordId, writeHome, type Home, type HomeRecord } from './home-record.js';
import type { Membership, RecordSigner } from './membership.js';
import {
  NETWORK_RECORD_ID,
  networkKind,
  type NetworkTerms,
  peerKind,
  peerRecordId,
  peerStateKind,
  peerStateRecordId,
  type PeerStateRecord,
  writeNetwork,
  writePeer,
  writePeerState,
} from './network-records.js';
import { signedOf } from './record-kind.js';
import type { RecordProblems } from './record-problems.js';
import { RecordSet, type RecordSetParts, type Resolved } from './record-set.js';
import { userDocumentId, type UserDocument } from '../users/user-document.js';
import { userKind } from '../users/user-kind.js';
import { type KnownUser, namesakes, type UserRecords } from '../users/user-records.js';

export interface NetworkDocumentsOptions {
  readonly database: DocumentDatabase;
  /** This peer's place in the network: the trust anchor. */
  readonly membership: Membership;
  /** Absent: it only looks; see RecordSet. */
  readonly memory: RecordMemory | undefined;
  readonly problems: RecordProblems;
  /** Unix time. */
  readonly now: () => number;
}

/** The database `network`: who and what belongs to the network. Everything in it is signed; nothing else is believed. */
export class NetworkDocuments implements UserRecords {
  readonly #database: DocumentDatabase;
  readonly #membership: Membership;
  readonly #now: () => number;
  readonly #network: RecordSet<NetworkTerms>;
  readonly #peers: RecordSet<PeerProfile>;
  readonly #states: RecordSet<PeerStateRecord>;
  readonly #users: RecordSet<UserDocument>;
  readonly #homes: RecordSet<HomeRecord>;

  constructor(options: NetworkDocumentsOptions) {
    const { database, membership, now } = options;
    const parts: RecordSetParts = options;
    this.#database = database;
    this.#membership = membership;
    this.#now = now;
    this.#network = new RecordSet(networkKind(membership), parts);
    this.#peers = new RecordSet(peerKind(membership), parts);
    this.#states = new RecordSet(peerStateKind(membership), parts);
    this.#users = new RecordSet(userKind, parts);
    this.#homes = new RecordSet(homeKind, parts);
  }

  async network(): Promise<NetworkRecord> {
    const { latest, newer, refusal } = await this.#network.get(NETWORK_RECORD_ID);
    const policy = latest?.record;
    if (policy !== undefined) return { ...policy, id: this.#membership.network, authority: this.#membership.authority };
    throw newer ?? refusal ?? new StorageError('NOT_FOUND', 'This peer has not learnt the policy of its network yet.');
  }

  /** @throws StorageError PERMISSION_DENIED where the authority's key is not, UNSUPPORTED */
  async setNetwork({ name, tolerate }: NetworkPolicy): Promise<void> {
    const sign = this.#authority('the policy of the network');
    const known = (await this.#network.get(NETWORK_RECORD_ID)).latest?.record?.authorities ?? [];
    const authorities = [...new Set([...known, this.#membership.peer])].sort();
    const policy = { name, authorities, ...(tolerate === undefined ? {} : { tolerate }) };
    await this.#network.write(NETWORK_RECORD_ID, (counter) =>
      writeNetwork(policy, this.#membership.network, { counter, issuedMs: this.#now(), sign }),
    );
  }

  /** In ascending order of id. */
  async peers(): Promise<PeerRecord[]> {
    const [profiles, states] = [await this.#peers.all(), await this.#states.all()];
    return recordsOf(profiles).map((profile) => ({
      ...profile,
      state: stateOf(states.get(peerStateRecordId(profile.id))),
    }));
  }

  /** Nothing is written when nothing is new. @throws StorageError PERMISSION_DENIED for another peer, UNSUPPORTED */
  async setPeer(profile: PeerProfile): Promise<void> {
    const { network, peer, signAsPeer: sign } = this.#membership;
    const { id, address, name, zone, capacityBytes, backup, certificate } = profile;
    if (id !== peer) {
      throw new StorageError(
        'PERMISSION_DENIED',
        'A peer speaks for itself only: change this at the peer that it is about.',
      );
    }
    const said = { id, address, name, zone, capacityBytes, backup, certificate: Uint8Array.from(certificate) };
    const known = await this.#peers.get(peerRecordId(id));
    if (isDeepStrictEqual(known.latest?.record, said)) return;
    await this.#peers.write(peerRecordId(id), (counter) =>
      writePeer(said, network, { counter, issuedMs: this.#now(), sign }),
    );
  }

  /** @throws StorageError PERMISSION_DENIED where the authority's key is not, NOT_FOUND, UNSUPPORTED */
  async setPeerState(peer: PeerId, state: PeerRecord['state']): Promise<void> {
    const sign = this.#authority('the state of a peer');
    const known = (await this.#peers.get(peerRecordId(peer))).latest;
    if (known === undefined) throw new StorageError('NOT_FOUND', `No peer ${peer.slice(0, 12)}… is known here.`);
    await this.#states.write(peerStateRecordId(peer), (counter) =>
      writePeerState({ peer, state }, this.#membership.network, { counter, issuedMs: this.#now(), sign }),
    );
  }

  /** In ascending order of id. */
  async users(): Promise<KnownUser[]> {
    return [...(await this.#users.all()).values()].flatMap((resolved) => knownUser(resolved) ?? []);
  }

  async usersNamed(name: string): Promise<KnownUser[]> {
    return namesakes(await this.users(), name);
  }

  async user(id: UserId): Promise<KnownUser | undefined> {
    return knownUser(await this.#users.get(userDocumentId(id)));
  }

  /** Nothing is written when a later document is known. @throws StorageError as readUser; UNSUPPORTED */
  async setUser(id: UserId, signed: Uint8Array): Promise<void> {
    await this.#users.put(signed);
    // Reading ends the leaves of older documents; compacting forgets their text.
    await this.#users.get(userDocumentId(id));
    await this.#database.compact();
  }

  async userTexts(id: UserId): Promise<readonly Uint8Array[]> {
    return this.#users.texts(userDocumentId(id));
  }

  /** Where users are at home; peers that were removed are nobody's. */
  async homes(): Promise<UserHome[]> {
    return (await this.homeRecords()).filter(({ gone }) => !gone).map(({ user, peer }) => ({ user, peer }));
  }

  /** Every home that ever was, in ascending order of user and peer; those at removed peers are gone. */
  async homeRecords(): Promise<HomeRecord[]> {
    const removed = new Set((await this.peers()).filter(({ state }) => state === 'removed').map(({ id }) => id));
    return recordsOf(await this.#homes.all()).map((home) => ({ ...home, gone: home.gone || removed.has(home.peer) }));
  }

  /** What is known of one; absent when it never was. A removed peer's may still say that it is one. */
  async home(home: Pick<Home, 'user' | 'peer'>): Promise<HomeRecord | undefined> {
    return (await this.#homes.get(homeRecordId(home))).latest?.record;
  }

  /** Says, in the user's name, how it is with a home. Nothing is written when that is known. */
  async setHome(home: Home, by: Signer): Promise<void> {
    const known = await this.home(home);
    if ((known?.gone ?? true) === home.gone && (home.gone || known?.generation === home.generation)) return;
    await this.#homes.write(homeRecordId(home), (counter) => writeHome(home, { counter, issuedMs: this.#now(), by }));
  }

  /** Takes over records that are signed already, as another peer gave them. @throws StorageError for the first bad one */
  async take(documents: readonly Document[]): Promise<void> {
    const sets = [this.#network, this.#peers, this.#states, this.#users, this.#homes];
    for (const document of documents) {
      const set = sets.find((candidate) => candidate.owns(document._id));
      if (set === undefined) throw new StorageError('INVALID_ARGUMENT', 'This is no record of a network.');
      await set.put(signedOf(document, 'record'));
    }
  }

  async close(): Promise<void> {
    await this.#database.close();
  }

  #authority(what: string): RecordSigner {
    const { signAsAuthority } = this.#membership;
    if (signAsAuthority !== undefined) return signAsAuthority;
    throw new StorageError(
      'PERMISSION_DENIED',
      `Only the network authority changes ${what}, and its key is not at this peer. Do it at a peer whose home has authority.key.`,
    );
  }
}

function recordsOf<T>(resolved: ReadonlyMap<string, Resolved<T>>): T[] {
  return [...resolved.values()].flatMap(({ latest }) => latest?.record ?? []);
}

function knownUser({ latest }: Resolved<UserDocument>): KnownUser | undefined {
  return latest?.record && { user: latest.record, signed: latest.signed };
}

/** What cannot be understood is taken for a removal: that of a newer version must not be passed over. */
function stateOf(resolved: Resolved<PeerStateRecord> | undefined): PeerRecord['state'] {
  if (resolved?.latest === undefined) return 'member';
  return resolved.latest.record?.state ?? 'removed';
}
