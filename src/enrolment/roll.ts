import { isDeepStrictEqual } from 'node:util';
import type { Membership } from '../catalog/records/membership.js';
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
} from '../catalog/records/network-records.js';
import { type OpenRecord, type RecordKind, signedOf, toRecordDocument } from '../catalog/records/record-kind.js';
import { RecordSet, type RecordSetParts, type Resolved } from '../catalog/records/record-set.js';
import type { PeerId } from '../chunk/ids.js';
import type { Document } from '../documents/document-database.js';
import { StorageError } from '../errors.js';
import { MAX_BOOTSTRAP_RECORDS } from '../limits.js';
import type { PeerProfile } from '../peers/peer-record.js';
import { demandPlain } from './peer-name.js';

export interface RollOptions extends RecordSetParts {
  readonly membership: Membership;
}

/** Who belongs to the network, as far as joining is concerned: its policy, its peers, and what the authority says of them. */
export class Roll {
  readonly #options: RollOptions;
  readonly #network: RecordSet<NetworkTerms>;
  readonly #peers: RecordSet<PeerProfile>;
  readonly #states: RecordSet<PeerStateRecord>;
  readonly #peerKind: RecordKind<PeerProfile>;

  constructor(options: RollOptions) {
    this.#options = options;
    this.#peerKind = peerKind(options.membership);
    this.#network = new RecordSet(networkKind(options.membership), options);
    this.#peers = new RecordSet(this.#peerKind, options);
    this.#states = new RecordSet(peerStateKind(options.membership), options);
  }

  /** undefined where it has not come yet. */
  async policy(): Promise<NetworkTerms | undefined> {
    return (await this.#network.get(NETWORK_RECORD_ID)).latest?.record;
  }

  /** What cannot be understood is taken for a removal. */
  async isRemoved(peer: PeerId): Promise<boolean> {
    const { latest } = await this.#states.get(peerStateRecordId(peer));
    return latest !== undefined && (latest.record?.state ?? 'removed') === 'removed';
  }

  /** What a new peer begins with: what the authority says, then as many peers as fit, backup hosts before the others. */
  async bootstrap(): Promise<Document[]> {
    const terms = (await this.#network.get(NETWORK_RECORD_ID)).latest;
    const peers = known(await this.#peers.all());
    const hosts = peers.filter(([, { record }]) => record?.backup === true);
    const others = peers.filter(([, { record }]) => record?.backup !== true);
    return [
      ...(terms === undefined ? [] : [documentOf('network', NETWORK_RECORD_ID, terms)]),
      ...known(await this.#states.all()).map(([id, state]) => documentOf('peer-state', id, state)),
      ...[...hosts, ...others].map(([id, peer]) => documentOf('peer', id, peer)),
    ].slice(0, MAX_BOOTSTRAP_RECORDS);
  }

  /** Takes over what another peer began to tell. @throws StorageError for the first record that is not right */
  async take(documents: readonly Document[]): Promise<void> {
    const sets = [this.#network, this.#peers, this.#states];
    for (const document of documents) {
      const set = sets.find((candidate) => candidate.owns(document._id));
      if (set === undefined) throw new StorageError('INVALID_ARGUMENT', 'This is no record that a new peer needs.');
      await set.put(signedOf(document, 'record'));
    }
  }

  /** Takes what a peer says of itself. @throws StorageError PERMISSION_DENIED for a record of another peer */
  async takePeer(peer: PeerId, document: Document): Promise<PeerProfile> {
    const signed = signedOf(document, this.#peerKind.what);
    const { id, record } = this.#peerKind.open(signed);
    if (id !== peerRecordId(peer) || document._id !== id || record === undefined) {
      throw new StorageError('PERMISSION_DENIED', 'A peer hands in the record of itself, and no other.');
    }
    demandPlain('name', record.name);
    demandPlain('zone', record.zone);
    await this.#peers.put(signed);
    return record;
  }

  /** What this peer said of itself last, also when its certificate has expired since. */
  formerProfile(): PeerProfile | undefined {
    const { membership, memory } = this.#options;
    const remembered = memory?.get(peerRecordId(membership.peer));
    return remembered && this.#peerKind.open(remembered.signed).record;
  }

  /** What this peer says of itself, as it was signed; it is signed anew when something is new. */
  async setPeer(profile: PeerProfile): Promise<Document> {
    const { membership, now } = this.#options;
    const id = peerRecordId(membership.peer);
    const known = (await this.#peers.get(id)).latest;
    if (known !== undefined && isDeepStrictEqual(known.record, profile)) return documentOf('peer', id, known);
    const issue = { issuedMs: now(), sign: membership.signAsPeer };
    await this.#peers.write(id, (counter) => writePeer(profile, membership.network, { ...issue, counter }));
    const { latest, refusal } = await this.#peers.get(id);
    if (latest !== undefined) return documentOf('peer', id, latest);
    throw refusal ?? new StorageError('INTERNAL', 'What this peer says of itself was not written.');
  }

  /** Begins a network. @throws StorageError PERMISSION_DENIED where the authority's key is not */
  async setTerms(terms: NetworkTerms): Promise<void> {
    const { membership, now } = this.#options;
    const { signAsAuthority: sign } = membership;
    if (sign === undefined) {
      throw new StorageError('PERMISSION_DENIED', 'The key of the network authority is not at this peer.');
    }
    await this.#network.write(NETWORK_RECORD_ID, (counter) =>
      writeNetwork(terms, membership.network, { counter, issuedMs: now(), sign }),
    );
  }

  /** Writes that a peer has the authority's key, or has it no longer. Nothing is written when that is known. */
  async setAuthority(peer: PeerId, holds: boolean): Promise<void> {
    const terms = await this.policy();
    if (terms === undefined) {
      throw new StorageError('UNAVAILABLE', 'This peer has not learnt the policy of its network yet. Try again later.');
    }
    if (terms.authorities.includes(peer) === holds) return;
    const others = terms.authorities.filter((each) => each !== peer);
    await this.setTerms({ ...terms, authorities: holds ? [...others, peer].sort() : others });
  }
}

function known<T>(records: ReadonlyMap<string, Resolved<T>>): (readonly [id: string, record: OpenRecord<T>])[] {
  return [...records.values()].flatMap(({ id, latest }) => (latest === undefined ? [] : [[id, latest] as const]));
}

function documentOf(type: string, id: string, { signed }: OpenRecord<unknown>): Document {
  return toRecordDocument(type, id, signed);
}
