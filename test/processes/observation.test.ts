/** What is seen from outside of a request that goes through every process of a peer, and through other peers. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { SERVICES } from '../../src/config.js';
import { seededBytes } from '../e2e/programs/seeded.js';
import { eventually } from '../sync/sync-network.js';
import { Collector } from './collector.js';
import { ProcessStage } from './stage.js';

it(
  'a put is one trace with one id through all processes and peers, and metrics tell of all of them',
  { timeout: 240_000 },
  async () => {
    await using collector = await Collector.open();
    await using stage = await ProcessStage.open({
      SHOAL_LOG: 'debug',
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_BSP_SCHEDULE_DELAY: '200',
    });
    await stage.put('/hidden-name', seededBytes('traced', 300_000));

    await eventually(async () => {
      const put = collector.spans.find(
        ({ name, service }) => name === 'PUT /v1/content' && service === 'shoal-file-sender',
      );
      assert.ok(put !== undefined, 'the put is told of');
      const spans = collector.spans.filter(({ traceId }) => traceId === put.traceId);
      const told = new Set(spans.map(({ service, name }) => `${service} ${name}`));
      for (const one of [
        'shoal-gateway PUT /v1/content',
        'shoal-file-sender store stripe',
        'shoal-db-service shoal.v1.DbService/Commit',
        'shoal-file-receiver shoal.v1.FileReceiver/StoreChunk',
        'shoal-peer shoal.v1.FileReceiver/StoreChunk',
      ]) {
        assert.ok(told.has(one), `${one} is part of the trace: ${[...told].join(', ')}`);
      }
      assert.equal(new Set(spans.map(({ request }) => request)).size, 1);
      const line = `"request":"${String(put.request)}"`;
      for (const service of ['gateway', 'file-sender', 'db-service', 'file-receiver'] as const) {
        assert.ok(stage.log(service).includes(line), `${service} logs the request`);
      }
      for (const log of stage.otherLogs) assert.ok(log.includes(line), 'so do the other peers');
      await Promise.resolve();
    });
    assert.ok(!collector.text.includes('hidden-name'));
    for (const log of [...SERVICES.map((service) => stage.log(service)), ...stage.otherLogs]) {
      assert.ok(!log.includes('hidden-name'));
    }

    await using other = await stage.clientOfOther();
    await other.upload('/from-another', parts(seededBytes('traced, too', 300_000)));
    await eventually(async () => {
      const put = collector.spans.find(({ name, service }) => name === 'PUT /v1/content' && service === 'shoal-peer');
      assert.ok(put !== undefined, 'the put of the other peer is told of');
      const call = `"call":"/shoal.v1.FileReceiver/StoreChunk"`;
      const lines = stage.log('file-receiver').split('\n');
      const isThere = lines.some((line) => line.includes(call) && line.includes(`"request":"${String(put.request)}"`));
      assert.ok(isThere, 'its id comes through the front');
      await Promise.resolve();
    });

    const families = await stage.client.metrics();
    const up = families.find(({ name }) => name === 'shoal_service_up')?.values ?? [];
    const apart = SERVICES.filter((service) => service !== 'gateway');
    assert.deepEqual(up.map(({ labels, value }) => `${String(labels['service'])} ${String(value)}`).sort(), [
      ...apart.map((service) => `${service} 1`).sort(),
    ]);
    const memory = families
      .filter(({ name }) => name === 'process_resident_memory_bytes')
      .flatMap(({ values }) => values);
    assert.deepEqual(memory.map(({ labels }) => labels['process']).sort(), [...SERVICES].sort());

    await stage.end('front');
    const later = (await stage.client.metrics()).find(({ name }) => name === 'shoal_service_up')?.values ?? [];
    assert.deepEqual(
      later.filter(({ value }) => value === 0).map(({ labels }) => labels['service']),
      ['front'],
    );
  },
);

async function* parts(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  await Promise.resolve();
  yield bytes;
}
