import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, it } from 'node:test';
import { currentRequest, requestHeaders, requestOf, withRequest } from './request-context.js';

const TRACE = `00-${'ab'.repeat(16)}-${'cd'.repeat(8)}-01`;

function from(headers: Readonly<Record<string, unknown>>): ReturnType<typeof requestOf> {
  return requestOf((name) => headers[name]);
}

describe('the context of a request', () => {
  it('is there in whatever is awaited, and nowhere else', async () => {
    const seen: unknown[] = [];
    await Promise.all(
      ['a', 'b'].map((id) =>
        withRequest({ id }, async () => {
          await delay(1);
          seen.push(currentRequest()?.id);
        }),
      ),
    );
    assert.deepEqual(seen.sort(), ['a', 'b']);
    assert.equal(currentRequest(), undefined);
    assert.deepEqual(requestHeaders(), {});
    assert.equal(
      withRequest(undefined, () => 7),
      7,
    );
  });

  it('goes on by its headers', () => {
    const context = { id: 'r-1', trace: TRACE };
    const headers = withRequest(context, requestHeaders);
    assert.deepEqual(headers, { 'x-request-id': 'r-1', traceparent: TRACE });
    assert.deepEqual(from(headers), context);
    assert.deepEqual(from({ 'x-request-id': ['r-2'] }), { id: 'r-2' });
  });

  it('takes no id that could forge a line of a log', () => {
    for (const id of ['', 'a b', 'a\n{"level":60}', 'x'.repeat(65), 7, undefined, 'ü', '"']) {
      assert.match(from({ 'x-request-id': id }).id, /^[0-9a-f-]{36}$/);
    }
    for (const trace of ['', TRACE.toUpperCase(), `${TRACE}-x`, `01${TRACE.slice(2)}`, 7]) {
      assert.equal(from({ 'x-request-id': 'r', traceparent: trace }).trace, undefined);
    }
  });
});
