import { randomBytes } from 'node:crypto';
import type { Catalog, ExtentRef, NewVersion, Session, StripeRecord } from '../../src/catalog/catalog.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import { parseFileId, parseVersionId, SHORT_ID_BYTES, type StripeId } from '../../src/chunk/ids.js';
import { maxPlainBytes, sealedBytes } from '../../src/crypto/extent-layout.js';
import { SMALL_FILE_BYTES } from '../material.js';
import { sampleStripe } from './sample-stripe.js';

const MODE = 0o644;
const KEY_BYTES = 32;

/** What the catalog takes of files that nobody has stored: their stripes are on no peer, their records are as good as any. */
export class Samples {
  readonly #catalog: Catalog;
  readonly #session: Session;
  readonly #members: readonly Membership[];

  constructor(catalog: Catalog, session: Session, members: readonly Membership[]) {
    this.#catalog = catalog;
    this.#session = session;
    this.#members = members;
  }

  /** Full stripes, known to the catalog. */
  async stripes(count: number): Promise<StripeRecord[]> {
    const stripes: StripeRecord[] = [];
    for (let made = 0; made < count; made++) {
      const { record, label } = sampleStripe(this.#session.user, this.#members);
      stripes.push({ ...record, label: await this.#catalog.sign(this.#session, 'label', label) });
    }
    await this.#catalog.putStripes(stripes);
    return stripes;
  }
}

/** A small file that was packed into a stripe with others. */
export function smallFile(path: string, stripe: StripeId, place: number): NewVersion {
  const sealed = sealedBytes(SMALL_FILE_BYTES);
  const extent = { key: randomBytes(KEY_BYTES), stripe, offset: place * sealed, sealedBytes: sealed };
  return version(path, [{ ...extent, bytes: SMALL_FILE_BYTES }]);
}

/** Fills the stripes. */
export function largeFile(path: string, stripes: readonly StripeRecord[]): NewVersion {
  const extents = stripes.map(({ id, bytes }) => {
    const plain = maxPlainBytes(bytes);
    return { key: randomBytes(KEY_BYTES), stripe: id, offset: 0, sealedBytes: sealedBytes(plain), bytes: plain };
  });
  return version(path, extents);
}

function version(path: string, extents: readonly ExtentRef[]): NewVersion {
  const bytes = extents.reduce((sum, extent) => sum + extent.bytes, 0);
  const file = parseFileId(randomBytes(SHORT_ID_BYTES));
  const ids = { file, version: parseVersionId(randomBytes(SHORT_ID_BYTES)) };
  return { path, manifest: { ...ids, bytes, modifiedMs: Date.now(), mode: MODE, extents } };
}
