import { toHex } from '../../bytes.js';
import type { StripeId } from '../../chunk/ids.js';
import type { Extent } from '../../gen/shoal/v1/format.js';

/** How many extents of live versions lie in each stripe: one that nothing refers to can be given back. */
export class StripeReferences {
  readonly #counts = new Map<StripeId, number>();

  add(stripes: readonly StripeId[]): void {
    for (const stripe of stripes) this.#counts.set(stripe, this.count(stripe) + 1);
  }

  drop(stripes: readonly StripeId[]): void {
    for (const stripe of stripes) {
      const left = this.count(stripe) - 1;
      if (left > 0) this.#counts.set(stripe, left);
      else this.#counts.delete(stripe);
    }
  }

  count(stripe: StripeId): number {
    return this.#counts.get(stripe) ?? 0;
  }
}

/** The stripe of every extent, in order, as often as it occurs. */
export function stripesOf(extents: readonly Extent[]): StripeId[] {
  return extents.map(({ stripe }) => toHex(stripe) as StripeId);
}
