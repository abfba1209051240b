import { randomBytes } from 'node:crypto';
import type { StripeRecord } from '../../src/catalog/catalog.js';
import { segmentsOf } from '../../src/chunk/chunk-store.js';
import { encodeGrant } from '../../src/chunk/grant.js';
import { idBytes, parseFileId, parseVersionId, stripeId } from '../../src/chunk/ids.js';
import { encodeLabel } from '../../src/chunk/label.js';
import { describeChunk } from '../../src/chunk/segments.js';
import { newExtentKey, sealedBytes, sealExtentInto } from '../../src/crypto/seal.js';
import { StripeBuffer } from '../../src/erasure/stripe-buffer.js';
import { StripeLabel } from '../../src/gen/shoal/v1/format.js';
import { GRANT_LIFETIME_MS, SEGMENT_BYTES } from '../../src/limits.js';
import { NEVER } from '../contract/offer.js';
import type { Planet } from './planet.js';

const [K, M] = [2, 1];
/** As long as the smallest directory that a label allows; nothing reads it here. */
const DIRECTORY_BYTES = 200;

interface CodedStripe extends Pick<StripeRecord, 'id' | 'bytes' | 'chunkBytes' | 'chunks'> {
  readonly contents: readonly Uint8Array[];
}

function code(stripe: Uint8Array): CodedStripe {
  const buffer = new StripeBuffer();
  const chunkBytes = Math.ceil(stripe.length / K);
  buffer.shape(K, M, chunkBytes);
  buffer.data().set(stripe);
  buffer.pad(stripe.length);
  buffer.encode();
  const contents = Array.from({ length: K + M }, (_, index) => Uint8Array.from(buffer.chunk(index)));
  const chunks = contents.map((content) => describeChunk(content).id);
  return { id: stripeId(K, M, chunks), bytes: stripe.length, chunkBytes, chunks, contents };
}

function labelFields(planet: Planet, { bytes, chunkBytes, chunks }: CodedStripe) {
  const directoryOffset = bytes - DIRECTORY_BYTES;
  const numbers = { k: K, m: M, stripeBytes: bytes, chunkBytes, directoryOffset, directoryBytes: DIRECTORY_BYTES };
  return { ...numbers, owner: planet.session.user, chunks };
}

/** Stores a file whose extent has a version that this one does not know; everything else is as it should be. */
export async function putFutureExtent(planet: Planet, path: string, plaintext: Uint8Array): Promise<void> {
  const { catalog } = planet.engine;
  const key = newExtentKey();
  const sealed = new Uint8Array(sealedBytes(plaintext.length) + DIRECTORY_BYTES);
  const extentBytes = sealExtentInto(key, plaintext, sealed);
  sealed[0] = 2;
  const coded = code(sealed);
  const label = await catalog.sign(planet.session, 'label', encodeLabel(labelFields(planet, coded)));
  const owner = planet.session.user;
  for (const [index, content] of coded.contents.entries()) {
    const header = { ...describeChunk(content), owner, label };
    await planet.peer(index + 1).store.put(header, segmentsOf(content, SEGMENT_BYTES), { signal: NEVER });
  }
  const placement = coded.chunks.map((_, index) => ({ peer: planet.id(index + 1) }));
  const { id, bytes, chunkBytes, chunks } = coded;
  await catalog.putStripes([{ id, owner, k: K, m: M, bytes, chunkBytes, chunks, placement, label }]);
  const extent = { key, stripe: id, offset: 0, sealedBytes: extentBytes, bytes: plaintext.length };
  const file = parseFileId(randomBytes(16));
  const version = parseVersionId(randomBytes(16));
  const manifest = { file, version, bytes: plaintext.length, modifiedMs: 0, mode: 0o600, extents: [extent] };
  await catalog.commit(planet.session, [{ path, manifest }]);
}

/** Offers peer 2 a chunk with a label of a later format. */
export async function offerFutureLabel(planet: Planet): Promise<void> {
  const { catalog, links, self } = planet.engine;
  const coded = code(new Uint8Array(randomBytes(1000)));
  const fields = labelFields(planet, coded);
  const owner = planet.session.user;
  const body = StripeLabel.encode({
    ...fields,
    format: 2,
    segmentBytes: SEGMENT_BYTES,
    owner: idBytes(owner),
    chunks: coded.chunks.map(idBytes),
  }).finish();
  const expiresMs = Date.now() + GRANT_LIFETIME_MS;
  const order = encodeGrant({ owner, sourcePeer: self, stripe: coded.id, bytes: 3 * coded.chunkBytes, expiresMs });
  const label = await catalog.sign(planet.session, 'label', body);
  const grant = await catalog.sign(planet.session, 'grant', order);
  const [content = new Uint8Array()] = coded.contents;
  const header = { ...describeChunk(content), owner, label };
  await links.store(planet.id(2)).put(header, segmentsOf(content, SEGMENT_BYTES), { signal: NEVER, grant });
}
