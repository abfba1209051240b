import { toHex } from '../../bytes.js';
import type { StripeId } from '../../chunk/ids.js';
import type { Extent } from '../../gen/shoal/v1/format.js';

/** How many extents of live versions lie in each stripe: one that nothing refers to can be given back. */
export class StripeReferences {
  readonly #counts = new Map<StripeId, number>();
  readonly #keepers = new Map<StripeId, number>();
  /** Of stripes that have keepers. */
  readonly #touches = new Map<StripeId, number>();

  add(stripes: readonly StripeId[]): void {
    for (const stripe of stripes) this.#change(this.#counts, stripe, 1);
  }

  drop(stripes: readonly StripeId[]): void {
    for (const stripe of stripes) this.#change(this.#counts, stripe, -1);
  }

  /** Whether or not any version lies there. */
  keep(stripes: readonly StripeId[]): void {
    for (const stripe of stripes) this.#change(this.#keepers, stripe, 1);
  }

  release(stripes: readonly StripeId[]): void {
    for (const stripe of stripes) {
      this.#change(this.#keepers, stripe, -1);
      if (!this.#keepers.has(stripe)) this.#touches.delete(stripe);
    }
  }

  /** Keepers not counted. */
  count(stripe: StripeId): number {
    return this.#counts.get(stripe) ?? 0;
  }

  isKept(stripe: StripeId): boolean {
    return this.#keepers.has(stripe);
  }

  /** Grows whenever something begins or ceases to lie in a stripe that is kept. */
  touches(stripe: StripeId): number {
    return this.#touches.get(stripe) ?? 0;
  }

  #change(counts: Map<StripeId, number>, stripe: StripeId, by: number): void {
    const left = (counts.get(stripe) ?? 0) + by;
    if (left > 0) counts.set(stripe, left);
    else counts.delete(stripe);
    if (this.#keepers.has(stripe)) this.#touches.set(stripe, this.touches(stripe) + 1);
  }
}

/** The stripe of every extent, in order, as often as it occurs. */
export function stripesOf(extents: readonly Extent[]): StripeId[] {
  return extents.map(({ stripe }) => toHex(stripe) as StripeId);
}
