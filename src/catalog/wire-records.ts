import { idBytes, parseChunkId, parsePeerId, parseStripeId, parseUserId, parseVersionId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import type {
  CatalogEntry,
  ChunkPlacement,
  FreedStripeDescription,
  NetworkDescription,
  PeerDescription,
  StripeDescription,
  UserDescription,
  VersionDescription,
} from '../gen/shoal/v1/db.js';
import type { PeerRecord } from '../peers/peer-record.js';
import type {
  Entry,
  FreedStripe,
  NetworkRecord,
  Placement,
  SigningPurpose,
  StripeRecord,
  UserSummary,
  VersionSummary,
} from './catalog.js';

/** Between the catalog's records and the messages of db.proto: one pair for each. */

const NOTHING = new Uint8Array(0);

/** A copy: a decoded field is a view of its message, which it would keep in memory whole. */
export function ownBytes(field: Uint8Array): Uint8Array {
  return Uint8Array.from(field);
}

export function encodeNetwork({ id, name, authority, tolerate }: NetworkRecord): NetworkDescription {
  return { id, name, authority, tolerate };
}

export function decodeNetwork({ id, name, authority, tolerate }: NetworkDescription): NetworkRecord {
  return tolerate === undefined ? { id, name, authority } : { id, name, authority, tolerate };
}

export function encodePeer(peer: PeerRecord): PeerDescription {
  const { address, name, zone, capacityBytes, state, certificate } = peer;
  return { id: idBytes(peer.id), address, name, zone, capacityBytes, state, certificate };
}

function decodeState(state: string): PeerRecord['state'] {
  if (state === 'member' || state === 'draining' || state === 'removed') return state;
  throw new StorageError('INVALID_ARGUMENT', 'A peer is "member", "draining" or "removed".');
}

export function decodePeer(peer: PeerDescription): PeerRecord {
  const { address, name, zone, capacityBytes, certificate } = peer;
  const state = decodeState(peer.state);
  return { id: parsePeerId(peer.id), address, name, zone, capacityBytes, state, certificate: ownBytes(certificate) };
}

export function encodeUser({ id, name, unlocked }: UserSummary): UserDescription {
  return { id: idBytes(id), name, unlocked };
}

export function decodeUser({ id, name, unlocked }: UserDescription): UserSummary {
  return { id: parseUserId(id), name, unlocked };
}

export function decodePurpose(purpose: string): SigningPurpose {
  if (purpose === 'label' || purpose === 'grant' || purpose === 'delete') return purpose;
  throw new StorageError('INVALID_ARGUMENT', 'The catalog signs for "label", "grant" and "delete" alone.');
}

export function encodeEntry(entry: Entry): CatalogEntry {
  const { path, type, bytes, modifiedMs, mode, version } = entry;
  const id = version === undefined ? NOTHING : idBytes(version);
  return { path, folder: type === 'folder', bytes, modifiedMs, mode, version: id };
}

export function decodeEntry(entry: CatalogEntry): Entry {
  const { path, folder, bytes, modifiedMs, mode, version } = entry;
  if (folder) return { path, type: 'folder', bytes, modifiedMs, mode };
  return { path, type: 'file', bytes, modifiedMs, mode, version: parseVersionId(version) };
}

/** At most: a character takes three bytes of UTF-8. */
export function entryBytes(entry: CatalogEntry): number {
  return 60 + entry.path.length * 3;
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
