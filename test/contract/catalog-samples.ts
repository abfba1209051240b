import { randomBytes } from 'node:crypto';
import type { Catalog, ExtentRef, NewVersion, Session, StripeRecord } from '../../src/catalog/catalog.js';
import {
  parseChunkId,
  parseFileId,
  parsePeerId,
  parseVersionId,
  stripeId,
  type StripeId,
  type UserId,
} from '../../src/chunk/ids.js';
import { LIVE_STRIPE_PAGE } from '../../src/catalog/compaction.js';
import type { UserCatalog } from '../../src/catalog/view/user-catalog.js';
import { encodeLabel } from '../../src/chunk/label.js';
import { makeReceipt } from '../../src/chunk/receipt.js';

/** A catalog with one unlocked user, and what a put of so many extents would commit there. */
export interface TreeSubject {
  readonly catalog: Catalog;
  readonly session: Session;
  readonly put: (path: string, extents?: number) => NewVersion;
}

const DIRECTORY_BYTES = 300;

/** A stripe of 4 + 2 chunks, the last of which nobody holds; its label is not signed, nor are its receipts. */
export function sampleStripe(owner: UserId): StripeRecord {
  const chunks = Array.from({ length: 6 }, () => parseChunkId(randomBytes(32)));
  const placement = chunks.map((chunk, index) => {
    const peer = parsePeerId(randomBytes(32));
    const promised = { peer, chunk, owner, bytes: 1000, storedMs: 1_700_000_000_000 };
    const receipt = makeReceipt(promised, () => Uint8Array.from(randomBytes(64)));
    return index === 5 ? undefined : index === 4 ? { peer } : { peer, receipt };
  });
  const label = Uint8Array.from(randomBytes(300));
  return { id: stripeId(4, 2, chunks), owner, k: 4, m: 2, bytes: 4000, chunkBytes: 1000, chunks, placement, label };
}

/** The body of a stripe's label, to be signed by its owner. */
export function sampleLabel({ owner, k, m, bytes, chunkBytes, chunks }: StripeRecord): Uint8Array {
  const directory = { directoryOffset: bytes - DIRECTORY_BYTES, directoryBytes: DIRECTORY_BYTES };
  return encodeLabel({ owner, k, m, stripeBytes: bytes, chunkBytes, chunks, ...directory });
}

/** One that a catalog takes. */
export async function signedStripe(catalog: Pick<Catalog, 'sign'>, session: Session): Promise<StripeRecord> {
  const stripe = sampleStripe(session.user);
  return { ...stripe, label: await catalog.sign(session, 'label', sampleLabel(stripe)) };
}

export function sampleExtent(stripe: StripeId, bytes = 1000): ExtentRef {
  return { key: Uint8Array.from(randomBytes(32)), stripe, offset: 7, sealedBytes: bytes + 50, bytes };
}

/** Stores all that versions refer to in another stripe. @returns that */
export async function moveAll({ moves, user }: Pick<UserCatalog, 'moves' | 'user'>): Promise<StripeId> {
  const { id } = sampleStripe(user);
  const stripes = (await moves.liveStripes({ limit: LIVE_STRIPE_PAGE })).map(({ stripe }) => stripe);
  const extents = await moves.liveExtents(stripes);
  const places = new Map<string, ExtentRef>();
  await moves.move(
    extents.map(({ file, version, extent }) => {
      const place = `${extent.stripe} ${String(extent.offset)}`;
      const to = places.get(place) ?? { ...sampleExtent(id, extent.bytes), offset: 1000 * places.size };
      places.set(place, to);
      return { file, version, from: extent, to };
    }),
  );
  return id;
}

export function sampleVersion(path: string, extents: readonly ExtentRef[] = []): NewVersion {
  const bytes = extents.reduce((sum, extent) => sum + extent.bytes, 0);
  const file = parseFileId(randomBytes(16));
  const version = parseVersionId(randomBytes(16));
  return { path, manifest: { file, version, bytes, modifiedMs: 1_700_000_000_000, mode: 0o640, extents } };
}

/** A public key as `ssh-keygen -t ed25519` writes it. */
export function sampleSshKey(comment: string, key: Uint8Array = randomBytes(32)): string {
  const field = (bytes: Uint8Array): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const blob = Buffer.concat([field(Buffer.from('ssh-ed25519')), field(key)]);
  return `ssh-ed25519 ${blob.toString('base64')} ${comment}\n`;
}
