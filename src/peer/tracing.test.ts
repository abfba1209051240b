import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Collector } from '../../test/processes/collector.js';
import { StorageError } from '../errors.js';
import { currentRequest, requestHeaders } from '../request-context.js';
import { traced, UNTRACED } from '../telemetry.js';
import { openTracer } from './tracing.js';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';

describe('traces', () => {
  let collector: Collector;
  const before = process.env[ENDPOINT];

  beforeEach(async () => {
    collector = await Collector.open();
    // The exporter reads the variables itself.
    process.env[ENDPOINT] = collector.url;
  });

  afterEach(async () => {
    await collector.close();
    if (before === undefined) Reflect.deleteProperty(process.env, ENDPOINT);
    else process.env[ENDPOINT] = before;
  });

  it('go to the collector, each span a part of the one around it, from process to process', async () => {
    const first = await openTracer(process.env, 'gateway');
    const second = await openTracer(process.env, 'file-sender');
    const id = 'request-1';
    let carried: Readonly<Record<string, string>> = {};
    await traced(first, { name: 'outer', kind: 'server', of: { id } }, async () => {
      carried = requestHeaders();
      const of = currentRequest();
      await traced(first, { name: 'inner', kind: 'client', of, attributes: { 'shoal.k': 4 } }, () => Promise.resolve());
    });
    const failure = new StorageError('NO_SPACE', 'There is no room for /secret.');
    const remote = { id: String(carried['x-request-id']), trace: carried['traceparent'] };
    const failing = traced(second, { name: 'remote', kind: 'server', of: remote }, () => Promise.reject(failure));
    await assert.rejects(failing, failure);
    // What nobody asked for is nobody's trace.
    await traced(first, { name: 'alone', kind: 'internal', of: undefined }, () => Promise.resolve());
    await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()]);

    const { spans } = collector;
    assert.deepEqual(spans.map(({ name, service }) => `${service} ${name}`).sort(), [
      'shoal-file-sender remote',
      'shoal-gateway inner',
      'shoal-gateway outer',
    ]);
    assert.equal(new Set(spans.map(({ traceId }) => traceId)).size, 1);
    assert.equal(collector.span('outer').parentSpanId ?? '', '');
    for (const name of ['inner', 'remote']) {
      assert.equal(collector.span(name).parentSpanId, collector.span('outer').spanId, name);
    }
    assert.ok(spans.every(({ request }) => request === id));
    const { code, message } = collector.span('remote').status;
    assert.deepEqual([code, message], [2, 'NO_SPACE']);
    assert.ok(!collector.text.includes('secret'));
  });

  it('are nobody’s where no collector is named, or the one that is named is away', async () => {
    assert.equal(await openTracer({}, 'gateway'), UNTRACED);
    assert.equal(await openTracer({ [ENDPOINT]: '' }, 'gateway'), UNTRACED);
    await collector.close();
    const tracer = await openTracer(process.env, 'gateway');
    assert.equal(await traced(tracer, { name: 'a', kind: 'server', of: { id: 'r' } }, () => Promise.resolve(7)), 7);
    tracer.begin({ name: 'never ended', kind: 'server', of: { id: 'r' } });
  });
});
