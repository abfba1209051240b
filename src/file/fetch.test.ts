import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { RecordProblem, Session } from '../catalog/catalog.js';
import { parseStripeId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { fetchStripe } from './fetch.js';

const stripe = parseStripeId(new Uint8Array(32));
const reads = { stripe, reads: [], signal: new AbortController().signal };

function engineOf(problems: readonly Pick<RecordProblem, 'document' | 'kind'>[]): Parameters<typeof fetchStripe>[0] {
  const catalog = { stripes: async () => [undefined], problems: async () => problems };
  return { catalog } as unknown as Parameters<typeof fetchStripe>[0];
}

it('a stripe whose record has not come yet is to be asked for again, not called damaged', async () => {
  const engine = engineOf([{ document: `stripe-${'1'.repeat(64)}`, kind: 'lost' }]);
  await assert.rejects(
    fetchStripe(engine, {} as Session, reads),
    (error) => StorageError.is(error, 'UNAVAILABLE') && error.retryable && error.message.includes('Try again'),
  );
});

it('a stripe whose record is lost is damaged', async () => {
  const engine = engineOf([{ document: `stripe-${stripe}`, kind: 'lost' }]);
  await assert.rejects(fetchStripe(engine, {} as Session, reads), (error) => StorageError.is(error, 'CORRUPT'));
});
