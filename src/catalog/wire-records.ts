import { idBytes, parseChunkId, parsePeerId, parseStripeId, parseUserId, parseVersionId } from '../chunk/ids.js';
import { decodeReceipt } from '../chunk/receipt.js';
import { StorageError } from '../errors.js';
import type {
  CatalogEntry,
  ChunkMoveDescription,
  ChunkPlacement,
  FreedStripeDescription,
  HomeDescription,
  KeyRotationDescription,
  NetworkDescription,
  PassphraseChangeDescription,
  PeerDescription,
  ProblemDescription,
  StripeDescription,
  UserDescription,
  VersionDescription,
} from '../gen/shoal/v1/db.js';
import type { PeerProfile, PeerRecord } from '../peers/peer-record.js';
import type {
  ChunkMove,
  Entry,
  FreedStripe,
  KeyRotation,
  NetworkRecord,
  PassphraseChange,
  Placement,
  RecordProblem,
  SigningPurpose,
  StripeRecord,
  UserHome,
  UserSummary,
  VersionSummary,
} from './catalog.js';

/** Between the catalog's records and the messages of db.proto: one pair for each. */

const NOTHING = new Uint8Array(0);

/** A copy: a decoded field is a view of its message, which it would keep in memory whole. */
export function ownBytes(field: Uint8Array): Uint8Array {
  return Uint8Array.from(field);
}

export function encodeNetwork({ id, name, authority, authorities, tolerate }: NetworkRecord): NetworkDescription {
  return { id, name, authority, tolerate, authorities: authorities.map(idBytes) };
}

export function decodeNetwork({ tolerate, authorities, ...fields }: NetworkDescription): NetworkRecord {
  const record = { ...fields, authorities: authorities.map(parsePeerId) };
  return tolerate === undefined ? record : { ...record, tolerate };
}

export function encodePeer(peer: PeerRecord): PeerDescription {
  const { id, ...fields } = peer;
  return { ...fields, id: idBytes(id) };
}

export function decodeState(state: string): PeerRecord['state'] {
  if (state === 'member' || state === 'draining' || state === 'removed') return state;
  throw new StorageError('INVALID_ARGUMENT', 'A peer is "member", "draining" or "removed".');
}

export function decodeProfile(peer: PeerDescription): PeerProfile {
  const { address, name, zone, capacityBytes, backup } = peer;
  return {
    id: parsePeerId(peer.id),
    address,
    name,
    zone,
    capacityBytes,
    backup,
    certificate: ownBytes(peer.certificate),
  };
}

export function decodePeer(peer: PeerDescription): PeerRecord {
  return { ...decodeProfile(peer), state: decodeState(peer.state) };
}

export function encodeHome({ user, peer }: UserHome): HomeDescription {
  return { user: idBytes(user), peer: idBytes(peer) };
}

export function decodeHome({ user, peer }: HomeDescription): UserHome {
  return { user: parseUserId(user), peer: parsePeerId(peer) };
}

export function decodeProblem({ document, kind, reason }: ProblemDescription): RecordProblem {
  if (kind === 'refused' || kind === 'replayed' || kind === 'newer' || kind === 'lost')
    return { document, kind, reason };
  throw new StorageError('UNSUPPORTED', 'The DB Service reports a problem of an unknown kind. Restart this peer.');
}

export function encodeUser({ id, ...user }: UserSummary): UserDescription {
  return { id: idBytes(id), ...user };
}

export function decodeUser({ id, name, unlocked, generation, kit }: UserDescription): UserSummary {
  return { id: parseUserId(id), name, unlocked, generation, kit };
}

export function encodePassphraseChange({ user, pendingHosts }: PassphraseChange): PassphraseChangeDescription {
  return { user: encodeUser(user), pendingHosts: [...pendingHosts] };
}

export function decodePassphraseChange(change: PassphraseChangeDescription | undefined): PassphraseChange {
  if (change?.user === undefined) {
    throw new StorageError('UNAVAILABLE', 'The DB Service ended a call without an answer.');
  }
  return { user: decodeUser(change.user), pendingHosts: change.pendingHosts };
}

export function encodeKeyRotation({ state, ...rotation }: KeyRotation): KeyRotationDescription {
  return { ...rotation, running: state === 'running' };
}

export function decodeKeyRotation({ generation, running, done, total }: KeyRotationDescription): KeyRotation {
  return { generation, state: running ? 'running' : 'none', done, total };
}

export function decodePurpose(purpose: string): SigningPurpose {
  if (purpose === 'label' || purpose === 'grant' || purpose === 'delete' || purpose === 'inventory') return purpose;
  throw new StorageError('INVALID_ARGUMENT', 'The catalog signs for "label", "grant", "delete" and "inventory" alone.');
}

export function encodeEntry(entry: Entry): CatalogEntry {
  const { path, type, bytes, modifiedMs, mode, version, moved = '' } = entry;
  const id = version === undefined ? NOTHING : idBytes(version);
  return { path, folder: type === 'folder', bytes, modifiedMs, mode, version: id, moved };
}

export function decodeEntry(entry: CatalogEntry): Entry {
  const { path, folder, bytes, modifiedMs, mode, version, moved } = entry;
  if (folder) return { path, type: 'folder', bytes, modifiedMs, mode };
  const file: Entry = { path, type: 'file', bytes, modifiedMs, mode, version: parseVersionId(version) };
  return moved === '' ? file : { ...file, moved };
}

/** At most: a character takes three bytes of UTF-8. */
export function entryBytes(entry: CatalogEntry): number {
  return 60 + entry.moved.length + entry.path.length * 3;
}

export function encodeVersion({ version, ...summary }: VersionSummary): VersionDescription {
  return { version: idBytes(version), ...summary };
}

export function decodeVersionSummary(description: VersionDescription): VersionSummary {
  const { version, bytes, modifiedMs, createdMs, current } = description;
  return { version: parseVersionId(version), bytes, modifiedMs, createdMs, current };
}

function encodePlacement(placement: Placement | undefined): ChunkPlacement {
  if (placement === undefined) return { peer: NOTHING, receipt: NOTHING, signature: NOTHING };
  const { peer, receipt } = placement;
  return { peer: idBytes(peer), receipt: receipt?.body ?? NOTHING, signature: receipt?.signature ?? NOTHING };
}

function decodePlacement({ peer: id, receipt: body, signature }: ChunkPlacement): Placement | undefined {
  if (id.length === 0) return undefined;
  const peer = parsePeerId(id);
  return body.length === 0
    ? { peer }
    : { peer, receipt: { peer, body: ownBytes(body), signature: ownBytes(signature) } };
}

export function encodeStripe(record: StripeRecord): StripeDescription {
  const { k, m, bytes, chunkBytes, label } = record;
  const chunks = record.chunks.map(idBytes);
  const placement = record.placement.map(encodePlacement);
  return { id: idBytes(record.id), owner: idBytes(record.owner), k, m, bytes, chunkBytes, chunks, placement, label };
}

export function decodeStripe(description: StripeDescription): StripeRecord {
  const { k, m, bytes, chunkBytes, label } = description;
  const id = parseStripeId(description.id);
  const owner = parseUserId(description.owner);
  const chunks = description.chunks.map(parseChunkId);
  const placement = description.placement.map(decodePlacement);
  return { id, owner, k, m, bytes, chunkBytes, chunks, placement, label: ownBytes(label) };
}

export function stripeBytes({ chunks, placement, label }: StripeDescription): number {
  const receipts = placement.reduce((sum, { receipt, signature }) => sum + receipt.length + signature.length + 42, 0);
  return 120 + chunks.length * 34 + receipts + label.length;
}

export function encodeMove({ stripe, chunk, receipt }: ChunkMove): ChunkMoveDescription {
  const { body, signature } = receipt;
  return { stripe: idBytes(stripe), chunk: idBytes(chunk), receipt: body, signature };
}

export function decodeMove({ stripe, chunk, receipt, signature }: ChunkMoveDescription): ChunkMove {
  const body = ownBytes(receipt);
  const { peer } = decodeReceipt(body);
  return {
    stripe: parseStripeId(stripe),
    chunk: parseChunkId(chunk),
    receipt: { peer, body, signature: ownBytes(signature) },
  };
}

export function encodeFreed({ stripe, chunks }: FreedStripe): FreedStripeDescription {
  return {
    stripe: idBytes(stripe),
    chunks: chunks.map(({ id, peer }) => ({ chunk: idBytes(id), peer: idBytes(peer) })),
  };
}

export function decodeFreed({ stripe, chunks }: FreedStripeDescription): FreedStripe {
  const placed = chunks.map(({ chunk, peer }) => ({ id: parseChunkId(chunk), peer: parsePeerId(peer) }));
  return { stripe: parseStripeId(stripe), chunks: placed };
}

export function freedBytes({ chunks }: FreedStripeDescription): number {
  return 40 + chunks.length * 72;
}
