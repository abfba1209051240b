import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog, Session, StripeRecord } from '../../src/catalog/catalog.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import { parseStripeId, parseUserId, type StripeId } from '../../src/chunk/ids.js';
import { makeReceipt } from '../../src/chunk/receipt.js';
import { STRIPE_ID_PAGE } from '../../src/limits.js';
import { sampleStripe, signedStripe } from './catalog-samples.js';
import { profileOf } from './sample-network.js';

export interface StripesSubject {
  readonly catalog: Catalog;
  readonly session: Session;
  /** One that was put. */
  readonly stripe: StripeRecord;
  readonly membership: Membership;
}

/** What a Catalog does with stripes, without the keys of their owner. */
export function catalogStripes(subject: () => StripesSubject): void {
  test('a chunk that has moved is found at its new place', async () => {
    const { catalog, session, membership } = subject();
    await catalog.setPeer(profileOf(membership));
    const record = await signedStripe(catalog, session);
    await catalog.putStripes([record]);
    const [, chunk] = record.chunks;
    assert.ok(chunk !== undefined);
    const promised = { peer: membership.peer, chunk, owner: session.user, bytes: 1000, storedMs: 1_700_000_000_001 };
    const receipt = makeReceipt(promised, (body) => Uint8Array.from(membership.signAsPeer('receipt', body)));
    await catalog.moveChunks([{ stripe: record.id, chunk, receipt }]);
    const moved = { ...record, placement: record.placement.with(1, { peer: membership.peer, receipt }) };
    assert.deepEqual(await catalog.stripes([record.id]), [moved]);
    const forged = { ...receipt, signature: receipt.signature.with(0, (receipt.signature[0] ?? 0) ^ 1) };
    const refused = catalog.moveChunks([{ stripe: record.id, chunk, receipt: forged }]);
    await assert.rejects(refused, { code: 'PERMISSION_DENIED' });
    const unknown = sampleStripe(session.user);
    const strange = catalog.moveChunks([{ stripe: unknown.id, chunk, receipt }]);
    await assert.rejects(strange, { code: 'INVALID_ARGUMENT' });
    await catalog.forgetStripes(session, [record.id]);
    assert.deepEqual(await catalog.stripes([record.id]), [undefined]);
  });

  test('how far a catalog is here is told of each peer that wrote into it, and of nobody else', async () => {
    const { catalog, session, membership } = subject();
    await catalog.makeFolder(session, '/heads');
    const [before] = await catalog.heads(session.user);
    assert.ok(before !== undefined && before.written > 0);
    assert.deepEqual(before, { peer: membership.peer, written: before.written, come: before.written });
    await catalog.makeFolder(session, '/heads/more');
    const [head, ...others] = await catalog.heads(session.user);
    assert.deepEqual([head?.written, head?.come, others], [before.written + 1, before.written + 1, []]);
    assert.deepEqual(await catalog.heads(parseUserId(new Uint8Array(32))), []);
  });

  test('the stripes that are known are listed by pages, in ascending order', async () => {
    const { catalog, stripe } = subject();
    const ids: StripeId[] = [];
    for (let after: StripeId | undefined; ;) {
      const page: readonly StripeId[] = await catalog.stripeIds({ ...(after !== undefined && { after }), limit: 2 });
      assert.ok(page.length <= 2, 'no longer than asked for');
      ids.push(...page);
      after = page.at(-1);
      if (after === undefined) break;
    }
    assert.ok(ids.includes(stripe.id), 'one that was put');
    assert.deepEqual(ids, [...new Set(ids)].sort());
    assert.deepEqual(await catalog.stripeIds({ limit: STRIPE_ID_PAGE }), ids);
    const between = parseStripeId(stripe.id.slice(0, 60) + '0000');
    const behind = ids.filter((id) => id > between);
    const found = await catalog.stripeIds({ after: between, limit: STRIPE_ID_PAGE });
    assert.deepEqual(found, behind, 'behind an id that is not there');
    for (const limit of [0, STRIPE_ID_PAGE + 1]) {
      await assert.rejects(catalog.stripeIds({ limit }), { code: 'INVALID_ARGUMENT' });
    }
  });
}
