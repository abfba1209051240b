import type { Catalog, Session } from '../catalog/catalog.js';
import type { PeerId, StripeId } from '../chunk/ids.js';

/** Stripe documents read at once. */
const PAGE = 256;

export interface Safety {
  readonly stripes: number;
  /** Stripes that miss a chunk, or have one at a peer that does not answer. */
  readonly degraded: number;
  /** So many more peers may fail without loss; below 0: so many chunks of some stripe are missing now. */
  readonly mayFail: number | null;
  /** Stripes whose record is damaged or lost: they count as degraded, and as missing k chunks. */
  readonly lost: number;
}

/** What may still fail, computed from where the chunks of a user's files lie and who answers, not from the policy. */
export async function safetyOf(catalog: Catalog, session: Session, up: ReadonlySet<PeerId>): Promise<Safety> {
  const stripes = await stripesOf(catalog, session);
  let degraded = 0;
  let lost = 0;
  let mayFail: number | null = null;
  for (let first = 0; first < stripes.length; first += PAGE) {
    for (const record of await catalog.stripes(stripes.slice(first, first + PAGE))) {
      if (record === undefined) {
        // Where its chunks lie is not known any more, so no file in it can be read.
        degraded++;
        lost++;
        mayFail = Math.min(mayFail ?? 0, -1);
        continue;
      }
      const answering = record.placement.filter((place) => place !== undefined && up.has(place.peer)).length;
      if (answering < record.chunks.length) degraded++;
      mayFail = Math.min(mayFail ?? Number.POSITIVE_INFINITY, answering - record.k);
    }
  }
  return { stripes: stripes.length, degraded, mayFail, lost };
}

async function stripesOf(catalog: Catalog, session: Session): Promise<StripeId[]> {
  const entries = await catalog.list(session, '/', { recursive: true });
  const paths = entries.filter(({ type }) => type === 'file').map(({ path }) => path);
  const found = new Set<StripeId>();
  for (let first = 0; first < paths.length; first += PAGE) {
    for (const manifest of await catalog.manifests(session, paths.slice(first, first + PAGE))) {
      for (const { stripe } of manifest?.extents ?? []) found.add(stripe);
    }
  }
  return [...found];
}
