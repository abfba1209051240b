import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Session } from '../catalog/catalog.js';
import { parseStripeId } from '../chunk/ids.js';
import { StorageError } from '../errors.js';
import { fetchStripe } from './fetch.js';

it('a stripe whose record has not come yet is to be asked for again, not called damaged', async () => {
  const engine = { catalog: { stripes: async () => [undefined] } } as unknown as Parameters<typeof fetchStripe>[0];
  const reads = { stripe: parseStripeId(new Uint8Array(32)), reads: [], signal: new AbortController().signal };
  await assert.rejects(
    fetchStripe(engine, {} as Session, reads),
    (error) => StorageError.is(error, 'UNAVAILABLE') && error.retryable && error.message.includes('Try again'),
  );
});
