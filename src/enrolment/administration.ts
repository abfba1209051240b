import type { Catalog } from '../catalog/catalog.js';
import type { Membership } from '../catalog/records/membership.js';
import type { PeerId } from '../chunk/ids.js';
import { readCertificate } from '../crypto/peer-identity.js';
import { StorageError } from '../errors.js';
import { changeSettings } from '../home.js';
import type { Logger } from '../log.js';
import type { PeerProfile, PeerRecord } from '../peers/peer-record.js';
import { schemeFor } from '../peers/scheme.js';
import { demandAdvertisable } from './client.js';
import { type Enrolment, fingerprintOf, type InvitationTerms, type Issued } from './enrolment.js';
import { profileIn } from './publish.js';
import type { Roll } from './roll.js';
import { demandName, demandPlain } from './peer-name.js';

export interface AdministrationOptions {
  readonly home: string;
  readonly membership: Membership;
  readonly enrolment: Pick<Enrolment, 'invite' | 'invitations'>;
  readonly catalog: Pick<Catalog, 'network' | 'setNetwork' | 'peers' | 'setPeer' | 'setPeerState'>;
  readonly roll: Pick<Roll, 'setAuthority'>;
  readonly logger: Logger;
}

export interface NetworkSummary {
  readonly id: string;
  readonly name: string;
  /** Of the authority's certificate: SHA-256, in hex. */
  readonly fingerprint: string;
  readonly authorityUntilMs: number;
  readonly tolerate: number | undefined;
  readonly authorities: readonly PeerId[];
}

/** What may be changed about this peer while it runs. */
export type OwnChanges = Partial<Pick<PeerProfile, 'address' | 'name' | 'zone' | 'backup' | 'capacityBytes'>>;

export type Invite = Omit<InvitationTerms, 'addresses'>;

/** What people do to a network at one of its peers. */
export class Administration {
  readonly #options: AdministrationOptions;

  constructor(options: AdministrationOptions) {
    this.#options = options;
  }

  get self(): PeerId {
    return this.#options.membership.peer;
  }

  /** @throws StorageError NOT_FOUND before the policy has come */
  async network(): Promise<NetworkSummary> {
    const { id, name, tolerate, authority, authorities } = await this.#options.catalog.network();
    const authorityUntilMs = Date.parse(readCertificate(authority).validTo);
    return { id, name, fingerprint: fingerprintOf(authority), authorityUntilMs, tolerate, authorities };
  }

  async peers(): Promise<readonly PeerRecord[]> {
    return await this.#options.catalog.peers();
  }

  /** The token leads to this peer, at the address that others know. */
  async invite(terms: Invite): Promise<Issued> {
    const { address } = await this.#own();
    return await this.#options.enrolment.invite({ ...terms, addresses: [address] });
  }

  get invitations(): Enrolment['invitations'] {
    return this.#options.enrolment.invitations;
  }

  /**
   * Puts a peer out of the network for good.
   *
   * @param meant a name, or the first digits of an id
   * @throws StorageError NOT_FOUND, CONFLICT when several are meant or the network could not go on, PERMISSION_DENIED
   */
  async remove(meant: string): Promise<PeerRecord> {
    const { catalog, roll, logger } = this.#options;
    const peers = await catalog.peers();
    const peer = onePeer(peers, meant);
    if (peer.state === 'removed') return peer;
    if (peer.id === this.self) {
      throw new StorageError(
        'CONFLICT',
        'A peer does not remove itself. Do it at another peer that has the authority’s role.',
      );
    }
    if (peer.backup) demandOtherHost(peers, peer);
    await catalog.setPeerState(peer.id, 'removed');
    await roll.setAuthority(peer.id, false);
    logger.info({ removed: peer.id, name: peer.name }, 'a peer was removed from the network');
    return { ...peer, state: 'removed' };
  }

  /**
   * The peer, if it may leave: neither this one, nor the last backup host, nor one of too few.
   *
   * @param meant a name, or the first digits of an id
   * @throws StorageError NOT_FOUND, CONFLICT, TOO_FEW_PEERS
   */
  async demandMayLeave(meant: string): Promise<PeerRecord> {
    const { catalog } = this.#options;
    const peers = await catalog.peers();
    const peer = onePeer(peers, meant);
    if (peer.state === 'removed') throw new StorageError('CONFLICT', `${peer.name} was removed from the network.`);
    if (peer.id === this.self) {
      throw new StorageError(
        'CONFLICT',
        'A peer does not see itself off. Do it at another peer that has the authority’s role.',
      );
    }
    if (peer.backup) demandOtherHost(peers, peer);
    const { tolerate } = await catalog.network();
    schemeFor(peers.filter((each) => each.state === 'member' && each.id !== peer.id).length, tolerate);
    return peer;
  }

  /**
   * A peer that is to leave gets nothing new, and the others take over what it holds; or it stays after all.
   *
   * @param meant a name, or the first digits of an id
   * @throws StorageError as demandMayLeave; PERMISSION_DENIED
   */
  async drain(meant: string, isLeaving: boolean): Promise<PeerRecord> {
    const { catalog, logger } = this.#options;
    const peer = isLeaving ? await this.demandMayLeave(meant) : onePeer(await catalog.peers(), meant);
    if (peer.state === 'removed') throw new StorageError('CONFLICT', `${peer.name} was removed from the network.`);
    const state = isLeaving ? 'draining' : 'member';
    if (peer.state === state) return peer;
    await catalog.setPeerState(peer.id, state);
    logger.info({ peer: peer.id, name: peer.name, state }, 'a peer was told to leave, or to stay');
    return { ...peer, state };
  }

  /**
   * How many peers may be lost, for what is put from now on; undefined: as many as their number makes sensible.
   *
   * @throws StorageError TOO_FEW_PEERS when the network is too small for it, PERMISSION_DENIED without the authority's role
   */
  async setTolerance(tolerate: number | undefined): Promise<void> {
    const { catalog, logger } = this.#options;
    const { name } = await catalog.network();
    schemeFor((await catalog.peers()).filter(({ state }) => state === 'member').length, tolerate);
    await catalog.setNetwork({ name, ...(tolerate !== undefined && { tolerate }) });
    logger.info({ tolerate: tolerate ?? 'default' }, 'the policy of the network was changed');
  }

  /** What this peer says of itself; its address and capacity go into its settings, too. */
  async setOwn(changes: OwnChanges): Promise<PeerProfile> {
    const { catalog, home } = this.#options;
    const { address, capacityBytes, backup, name, zone } = changes;
    if (name !== undefined) demandName(name);
    demandPlain('zone', zone);
    const peers = await catalog.peers();
    const own = await this.#own();
    if (address !== undefined) demandAdvertisable(address);
    if (own.backup && backup === false) demandOtherHost(peers, own);
    const next = { ...profileIn(own), ...changes };
    await catalog.setPeer(next);
    if (address !== undefined || capacityBytes !== undefined) {
      await changeSettings(home, {
        ...(address === undefined ? {} : { address }),
        ...(capacityBytes === undefined ? {} : { capacityBytes }),
      });
    }
    return next;
  }

  async #own(): Promise<PeerRecord> {
    const own = (await this.#options.catalog.peers()).find(({ id }) => id === this.self);
    if (own !== undefined) return own;
    throw new StorageError(
      'UNAUTHENTICATED',
      'The network does not know this peer any more: its certificate has expired. Join again with a new invitation.',
    );
  }
}

/** Without one nobody's catalog has a backup, and peers learn of each other no more. */
function demandOtherHost(peers: readonly PeerRecord[], { id, name }: PeerProfile): void {
  if (peers.some((peer) => peer.backup && peer.id !== id && peer.state !== 'removed')) return;
  throw new StorageError(
    'CONFLICT',
    `${name} is the only backup host of this network. Make another peer one first: \`shoal peer set --backup on\` there.`,
  );
}

/** @throws StorageError NOT_FOUND, CONFLICT */
export function onePeer(peers: readonly PeerRecord[], meant: string): PeerRecord {
  const isId = /^[0-9a-f]{8,64}$/.test(meant);
  const named = peers.filter(({ name }) => name === meant);
  const found = named.length > 0 ? named : peers.filter(({ id }) => isId && id.startsWith(meant));
  const members = found.filter(({ state }) => state !== 'removed');
  const [first, second] = members.length > 0 ? members : found;
  if (first === undefined) {
    throw new StorageError('NOT_FOUND', `There is no peer "${meant}" here. \`shoal peer list\` names them.`);
  }
  if (second === undefined) return first;
  throw new StorageError('CONFLICT', `Several peers are called "${meant}": use the first digits of the id instead.`);
}
