import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog, StripeRecord } from '../../src/catalog/catalog.js';
import { parseStripeId, type StripeId } from '../../src/chunk/ids.js';
import { STRIPE_ID_PAGE } from '../../src/limits.js';

/** How a Catalog lists the stripes that it knows, without a session. */
export function stripeListing(subject: () => Catalog, known: () => StripeRecord): void {
  test('the stripes that are known are listed by pages, in ascending order', async () => {
    const catalog = subject();
    const ids: StripeId[] = [];
    for (let after: StripeId | undefined; ;) {
      const page: readonly StripeId[] = await catalog.stripeIds({ ...(after !== undefined && { after }), limit: 2 });
      assert.ok(page.length <= 2, 'no longer than asked for');
      ids.push(...page);
      after = page.at(-1);
      if (after === undefined) break;
    }
    assert.ok(ids.includes(known().id), 'one that was put');
    assert.deepEqual(ids, [...new Set(ids)].sort());
    assert.deepEqual(await catalog.stripeIds({ limit: STRIPE_ID_PAGE }), ids);
    const between = parseStripeId(known().id.slice(0, 60) + '0000');
    const behind = ids.filter((id) => id > between);
    const found = await catalog.stripeIds({ after: between, limit: STRIPE_ID_PAGE });
    assert.deepEqual(found, behind, 'behind an id that is not there');
    for (const limit of [0, STRIPE_ID_PAGE + 1]) {
      await assert.rejects(catalog.stripeIds({ limit }), { code: 'INVALID_ARGUMENT' });
    }
  });
}
