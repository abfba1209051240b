import { idBytes, parsePeerId, type PeerId } from '../../chunk/ids.js';
import { decodeBounded } from '../../chunk/signed.js';
import { type PeerIdentity, readCertificate, verifyPeerCertificate } from '../../crypto/peer-identity.js';
import { verifyP256 } from '../../crypto/signature.js';
import { toHex } from '../../bytes.js';
import { StorageError } from '../../errors.js';
import { NetworkBody, PeerBody, PeerStateBody, Signed } from '../../gen/shoal/v1/format.js';
import { MAX_NETWORK_RECORD_BYTES, MAX_PEER_TEXT_CHARS } from '../../limits.js';
import type { PeerProfile, PeerRecord } from '../../peers/peer-record.js';
import type { NetworkPolicy, NetworkRecord } from '../catalog.js';
import type { Membership, RecordSigner } from './membership.js';
import { decodeSigned, isKnownFormat, type RecordKind } from './record-kind.js';

/** What every format of these bodies has under the same numbers. */
interface Header {
  readonly format: number;
  readonly network: Uint8Array;
  readonly counter: number;
}

export const NETWORK_RECORD_ID = 'network';
const FORMAT = 1;
const HASH = '[0-9a-f]{64}';
const NAME = /^\P{Cc}+$/u;
const ADDRESS = /^[^\s\p{Cc}]+:\d{1,5}$/u;

/** @throws StorageError PERMISSION_DENIED for a record of another network */
function checkNetwork(what: string, { network }: Header, { network: ours }: Membership): void {
  if (toHex(network) === ours) return;
  throw new StorageError(
    'PERMISSION_DENIED',
    `This ${what} belongs to another network, ${toHex(network).slice(0, 12)}…; this peer is a member of ${ours.slice(0, 12)}….`,
  );
}

function forged(what: string): never {
  throw new StorageError('PERMISSION_DENIED', `The signature of this ${what} is wrong: it was altered or forged.`);
}

function decodeBody<T>(what: string, decode: (bytes: Uint8Array) => T, body: Uint8Array): T {
  return decodeBounded({ what, maxBytes: MAX_NETWORK_RECORD_BYTES, decode }, body);
}

/** Signs and packs. @returns an encoded shoal.v1.Signed */
function seal(body: Uint8Array, signature: Uint8Array): Uint8Array {
  return Signed.encode({ body, signature, publicKey: new Uint8Array(0), links: [] }).finish();
}

// --- the policy of the network ------------------------------------------------------------------------------------------

/** What only the issuer of a record knows. */
export interface Issue {
  readonly counter: number;
  /** Unix time; for people to read. */
  readonly issuedMs: number;
  readonly sign: RecordSigner;
}

/** What the authority says of its network. */
export type NetworkTerms = NetworkPolicy & Pick<NetworkRecord, 'authorities'>;

export function writeNetwork(terms: NetworkTerms, network: string, { sign, ...issue }: Issue): Uint8Array {
  const { name, tolerate } = terms;
  checkText(name, NAME, 'name of a network');
  const authorities = terms.authorities.map(idBytes);
  const fields = { format: FORMAT, network: idBytes(network), ...issue, name, tolerate, authorities };
  const body = NetworkBody.encode(fields).finish();
  return seal(body, sign('network', body));
}

export function networkKind(membership: Membership): RecordKind<NetworkTerms> {
  const what = 'record of the network';
  return {
    type: 'network',
    what,
    ids: /^network$/,
    open(signed) {
      const { body, signature } = decodeSigned(what, signed);
      const fields = decodeBody(what, (bytes) => NetworkBody.decode(bytes), body);
      checkNetwork(what, fields, membership);
      if (!verifyP256('network', body, signature, membership.authorityKey)) forged(what);
      const opened = { id: NETWORK_RECORD_ID, counter: fields.counter, body, signed };
      if (!isKnownFormat(what, fields)) return { ...opened, record: undefined };
      const { name, tolerate } = fields;
      const authorities = fields.authorities.map(parsePeerId);
      const record = { name, authorities, ...(tolerate === undefined ? {} : { tolerate }) };
      return { ...opened, record };
    },
  };
}

// --- what a peer says of itself -----------------------------------------------------------------------------------------

/** @throws StorageError INVALID_ARGUMENT */
function checkText(text: string, form: RegExp, what: string): void {
  if (form.test(text) && text.length <= MAX_PEER_TEXT_CHARS) return;
  throw new StorageError(
    'INVALID_ARGUMENT',
    `The ${what} has 1 to ${String(MAX_PEER_TEXT_CHARS)} characters, none of them for control.`,
  );
}

function checkDescription({ address, name, zone, capacityBytes }: Omit<PeerProfile, 'id' | 'certificate'>): void {
  checkText(address, ADDRESS, 'address of a peer ("host:port")');
  checkText(name, NAME, 'name of a peer');
  if (zone !== '') checkText(zone, NAME, 'zone of a peer');
  if (Number.isSafeInteger(capacityBytes) && capacityBytes >= 0) return;
  throw new StorageError('INVALID_ARGUMENT', 'The capacity of a peer is a whole number of bytes.');
}

function decodePeerBody(bytes: Uint8Array): PeerBody {
  const body = PeerBody.decode(bytes);
  if (body.format === FORMAT) checkDescription(body);
  return body;
}

/** @throws StorageError PERMISSION_DENIED for a certificate that this network's authority did not issue to a peer */
function checkIssued(certificate: Uint8Array, { authority }: Membership, nowMs: number): PeerIdentity {
  try {
    return verifyPeerCertificate(certificate, authority, nowMs);
  } catch (error) {
    if (!StorageError.is(error, 'UNAUTHENTICATED')) throw error;
    throw new StorageError('PERMISSION_DENIED', error.message, { cause: error });
  }
}

export function peerRecordId(peer: PeerId): string {
  return `peer-${peer}`;
}

export function writePeer(peer: PeerProfile, network: string, { sign, ...issue }: Issue): Uint8Array {
  checkDescription(peer);
  const fields = { ...peer, ...issue, format: FORMAT, network: idBytes(network), peer: idBytes(peer.id) };
  const body = PeerBody.encode(fields).finish();
  return seal(body, sign('peer', body));
}

/** Whether its certificate is valid now is the reader's to see, for it changes: OpenRecord.valid. */
export function peerKind(membership: Membership): RecordKind<PeerProfile> {
  const what = 'record of a peer';
  return {
    type: 'peer',
    what,
    ids: new RegExp(`^peer-${HASH}$`),
    open(signed) {
      const { body, signature } = decodeSigned(what, signed);
      const fields = decodeBody(what, decodePeerBody, body);
      checkNetwork(what, fields, membership);
      const certificate = Uint8Array.from(fields.certificate);
      const { validFrom, validTo } = readCertificate(certificate);
      const valid = { fromMs: Date.parse(validFrom), untilMs: Date.parse(validTo) };
      const { id, publicKey } = checkIssued(certificate, membership, valid.fromMs);
      if (id !== toHex(fields.peer)) {
        throw new StorageError('PERMISSION_DENIED', `This ${what} carries the certificate of another one.`);
      }
      if (!verifyP256('peer', body, signature, publicKey)) forged(what);
      const peer = parsePeerId(id);
      const opened = { id: peerRecordId(peer), counter: fields.counter, body, signed, valid };
      if (!isKnownFormat(what, fields)) return { ...opened, record: undefined };
      const { address, name, zone, capacityBytes, backup } = fields;
      return { ...opened, record: { id: peer, address, name, zone, capacityBytes, backup, certificate } };
    },
  };
}

// --- what the authority says of a peer ----------------------------------------------------------------------------------

/** Number i + 1 in the body. */
const STATES = ['member', 'draining', 'removed'] as const satisfies readonly PeerRecord['state'][];

export interface PeerStateRecord {
  readonly peer: PeerId;
  readonly state: PeerRecord['state'];
}

export function peerStateRecordId(peer: PeerId): string {
  return `peer-state-${peer}`;
}

export function writePeerState(
  { peer, state }: PeerStateRecord,
  network: string,
  { sign, ...issue }: Issue,
): Uint8Array {
  const header = { ...issue, format: FORMAT, network: idBytes(network) };
  const fields = { ...header, peer: idBytes(peer), state: STATES.indexOf(state) + 1 };
  const body = PeerStateBody.encode(fields).finish();
  return seal(body, sign('peerState', body));
}

export function peerStateKind(membership: Membership): RecordKind<PeerStateRecord> {
  const what = 'record of the state of a peer';
  return {
    type: 'peer-state',
    what,
    ids: new RegExp(`^peer-state-${HASH}$`),
    open(signed) {
      const { body, signature } = decodeSigned(what, signed);
      const decode = (bytes: Uint8Array) => {
        const { peer, ...fields } = PeerStateBody.decode(bytes);
        return { ...fields, peer: parsePeerId(peer) };
      };
      const { peer, ...fields } = decodeBody(what, decode, body);
      checkNetwork(what, fields, membership);
      if (!verifyP256('peerState', body, signature, membership.authorityKey)) forged(what);
      const opened = { id: peerStateRecordId(peer), counter: fields.counter, body, signed };
      if (!isKnownFormat(what, fields)) return { ...opened, record: undefined };
      const state = STATES[fields.state - 1];
      if (state === undefined) throw new StorageError('CORRUPT', `This ${what} does not make sense.`);
      return { ...opened, record: { peer, state } };
    },
  };
}
