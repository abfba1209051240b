import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Counts, countUnder } from '../../../counts.js';
import { silentTelemetry, UNTRACED } from '../../../telemetry.js';
import { sampleStatus, sampleStream } from '../../../cli/doctor/sample-status.js';
import { ownFamilies, writeMetrics } from './gathering.js';
import { familiesOfCounts } from './of-counts.js';
import { ProcessWatch } from './of-process.js';
import { familiesOfStatus } from './of-status.js';

const NOW = 1_600_000;

describe('metrics', () => {
  it('tell what a status says, and leave out what it does not know', async () => {
    const stream = sampleStream({ hostName: 'at"tic\\\n', phase: 'failing', pending: null, refused: 1 });
    const status = sampleStatus({ sync: { error: null, streams: [stream], damaged: [] }, safety: null, store: null });
    const text = await writeMetrics(familiesOfStatus(status, NOW));
    const labels = '{host="at\\"tic\\\\\\n",database="network",direction="push"}';
    for (const line of [
      'shoal_peer_up{peer="attic"} 1',
      '# TYPE shoal_outbox_deletes gauge',
      `shoal_sync_failing${labels} 1`,
      `shoal_sync_lag_seconds${labels} 100`,
      `shoal_sync_last_success_seconds${labels} 1500`,
      `shoal_sync_refused_total${labels} 1`,
    ]) {
      assert.ok(text.split('\n').includes(line), `${line}\n${text}`);
    }
    assert.doesNotMatch(text, /sync_pending|shoal_stripes|store_chunks/);
  });

  it('say that a replication which waits is not behind, and nothing of one that never worked', () => {
    const lag = (changes: Parameters<typeof sampleStream>[0]): number[] => {
      const sync = { error: null, streams: [sampleStream(changes)], damaged: [] };
      const families = familiesOfStatus(sampleStatus({ sync }), NOW);
      const found = families.find(({ name }) => name === 'shoal_sync_lag_seconds');
      return found?.values.map(({ value }) => value) ?? [];
    };
    assert.deepEqual(lag({ phase: 'waiting', lastSuccessMs: 0 }), [0]);
    assert.deepEqual(lag({ phase: 'copying', lastSuccessMs: null }), []);
    assert.deepEqual(lag({ phase: 'failing', lastSuccessMs: NOW + 5 }), [0]);
  });

  it('count calls into classes, as Prometheus adds them up', async () => {
    const counts = new Counts();
    const tally = counts.requests.of('GET /v1/status');
    for (const seconds of [0.001, 0.3, 100]) {
      tally.begin();
      tally.end(seconds, seconds > 1);
    }
    counts.calls.of('/shoal.v1.FileSender/SendChunk').begin();
    countUnder(counts.peerFailures, 'cellar');
    counts.put.done = 7;
    const lines = (await writeMetrics(familiesOfCounts(counts))).split('\n');
    for (const line of [
      'shoal_http_request_seconds_bucket{method="GET",route="/v1/status",le="0.005"} 1',
      'shoal_http_request_seconds_bucket{method="GET",route="/v1/status",le="0.5"} 2',
      'shoal_http_request_seconds_bucket{method="GET",route="/v1/status",le="+Inf"} 3',
      'shoal_http_request_seconds_count{method="GET",route="/v1/status"} 3',
      'shoal_http_requests_failed_total{method="GET",route="/v1/status"} 1',
      'shoal_grpc_calls_active{method="FileSender/SendChunk"} 1',
      'shoal_files_total{action="put",outcome="done"} 7',
      'shoal_peer_failures_total{peer="cellar"} 1',
    ]) {
      assert.ok(lines.includes(line), line);
    }
  });

  it('of several processes are told apart, under one heading', async () => {
    using watch = new ProcessWatch();
    const of = (process: string): ReturnType<typeof ownFamilies> =>
      ownFamilies({ process, telemetry: { counts: new Counts(), tracer: UNTRACED }, watch });
    const text = await writeMetrics([...(await of('gateway')), ...(await of('file-sender'))]);
    assert.equal(text.match(/^# TYPE shoal_files_total counter$/gm)?.length, 1);
    for (const process of ['gateway', 'file-sender']) {
      assert.ok(text.includes(`shoal_chunk_sent_bytes_total{process="${process}"} 0\n`), text);
      assert.match(text, new RegExp(`^process_resident_memory_bytes\\{process="${process}"\\} \\d+$`, 'm'));
    }
  });

  it('of a process watch its event loop from the first look on', async () => {
    using watch = new ProcessWatch();
    const parts = { process: 'peer', telemetry: silentTelemetry(), watch };
    const lagOf = (families: Awaited<ReturnType<typeof ownFamilies>>): readonly unknown[] =>
      families.find(({ name }) => name === 'nodejs_eventloop_lag_seconds')?.values ?? [];
    assert.deepEqual(lagOf(await ownFamilies(parts)), []);
    // The event loop is looked at by a timer of its own; what it has seen by the second look may be nothing.
    for (const { value } of lagOf(await ownFamilies(parts)) as { value: number }[]) assert.ok(value >= 0);
  });
});
