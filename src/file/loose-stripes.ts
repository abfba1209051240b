import type { FreedStripe, Session, StripeRecord } from '../catalog/catalog.js';
import type { StripeId } from '../chunk/ids.js';
import type { Engine } from './engine.js';
import { collectOrphans, freeStrays, freeStripes, placesOf } from './remove.js';
import type { StoredStripe, Stray, StripeShape, Target } from './worker/protocol.js';

/**
 * What somebody has at the peers that no visible file refers to yet, and how it is settled or given back. Every stripe is
 * pinned, and an intent lies on the disk, from before its first chunk leaves until a visible file refers to it or its deletion
 * is noted: so also what ends with the process leaves nothing behind that nobody knows of.
 */
export class LooseStripes {
  readonly #engine: Engine;
  readonly #session: Session;
  /** Stripes on their way to peers. */
  readonly #underWay = new Map<StripeId, FreedStripe>();
  /** Stripes that are stored but that no visible file refers to yet. */
  readonly #loose = new Map<StripeId, StripeRecord>();
  /** Where chunks may lie beside their places. */
  readonly #strays = new Map<StripeId, readonly Stray[]>();
  readonly #pinned = new Set<StripeId>();

  constructor(engine: Engine, session: Session) {
    this.#engine = engine;
    this.#session = session;
  }

  /** From now on peers may hold chunks of it. */
  async begin({ id, chunks }: StripeShape, targets: readonly Target[]): Promise<void> {
    const { pinned, outbox } = this.#engine;
    this.#pinned.add(id);
    pinned.add(id);
    const intent = { stripe: id, owner: this.#session.user, chunks, targets: targets.map((target) => target.id) };
    this.#underWay.set(id, placesOf(intent));
    await outbox.intend(intent);
  }

  /** Its chunks lie where they are to lie. */
  stored({ strays, ...stripe }: NonNullable<StoredStripe['stripe']>): void {
    const { id, k, m, bytes, chunkBytes, chunks, placement, label } = stripe;
    this.#underWay.delete(id);
    if (strays.length > 0) this.#strays.set(id, strays);
    const owner = this.#session.user;
    this.#loose.set(id, { id, owner, k, m, bytes, chunkBytes, chunks, placement, label });
  }

  /** The records of those that are stored and loose. */
  recordsOf(stripes: Iterable<StripeId>): StripeRecord[] {
    return [...stripes].map((id) => this.#loose.get(id)).filter((record) => record !== undefined);
  }

  /** A visible file refers to them now. */
  async settle(stripes: readonly StripeId[]): Promise<void> {
    const records = this.recordsOf(stripes);
    for (const stripe of stripes) this.#loose.delete(stripe);
    this.#engine.outbox.settle(stripes);
    for (const record of records) await this.#freeStrays(record);
  }

  /**
   * A visible file may refer to them, or not: a write that broke may have reached the disk all the same. That shows only when
   * the catalog is read from the disk again, so until this process ends they stay pinned.
   */
  doubt(stripes: Iterable<StripeId>): void {
    for (const stripe of stripes) {
      this.#loose.delete(stripe);
      this.#pinned.delete(stripe);
    }
  }

  /** Gives back what no visible file refers to. Nothing may be under way any more. */
  async end(): Promise<void> {
    const [engine, session] = [this.#engine, this.#session];
    const freed = [...this.#loose.values()].map((record) => lying(record, this.#strays.get(record.id) ?? []));
    // What was cancelled, or not acknowledged, may still be arriving: deleted at once, it could come after its deletion.
    const arriving = [...this.#underWay.values(), ...freed.filter(({ stripe }) => this.#strays.has(stripe))];
    const lain = freed.filter(({ stripe }) => !this.#strays.has(stripe));
    if (lain.length > 0) await freeStripes(engine, session, lain);
    if (arriving.length > 0) await freeStripes(engine, session, arriving, { later: true });
    for (const id of this.#pinned) engine.pinned.delete(id);
    try {
      if (this.#pinned.size > 0) await collectOrphans(engine, session);
    } catch (error) {
      // Whoever stored them has told what became of it; whoever keeps house looks again.
      engine.logger.warn({ err: error }, 'stripes that may have been left behind could not be looked at yet');
    }
  }

  /** A target that was replaced may hold the chunk all the same; where none replaced it, repair will be glad of it. */
  async #freeStrays({ id, chunks, placement }: StripeRecord): Promise<void> {
    const strays = this.#strays.get(id)?.filter((stray) => placement[chunks.indexOf(stray.id)] !== undefined) ?? [];
    if (strays.length > 0) await freeStrays(this.#engine, this.#session, { stripe: id, chunks: strays });
  }
}

/** Where the chunks of a stripe lie or may lie. */
export function lying({ id, chunks, placement }: StripeRecord, strays: readonly Stray[]): FreedStripe {
  const placed = chunks.flatMap((chunk, index) => {
    const peer = placement[index]?.peer;
    return peer === undefined ? [] : [{ id: chunk, peer }];
  });
  return { stripe: id, chunks: [...placed, ...strays] };
}
