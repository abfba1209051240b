export interface MetricEntry {
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly help: string;
  /** Beside `process`, which every sample has. */
  readonly labels: readonly string[];
}

const gauge = (help: string, ...labels: readonly string[]): MetricEntry => ({ type: 'gauge', help, labels });
const counter = (help: string, ...labels: readonly string[]): MetricEntry => ({ type: 'counter', help, labels });
const histogram = (help: string, ...labels: readonly string[]): MetricEntry => ({ type: 'histogram', help, labels });

/** Every metric of Shoal's own, without `shoal_`. docs/metrics.md has the same; dashboards use no other. */
export const METRICS = {
  build_info: gauge('1, with the version that runs.', 'version'),
  service_up: gauge('Whether a service of this peer that a process of its own runs answers.', 'service'),

  peer_up: gauge('Whether a peer answers.', 'peer'),
  peer_latency_seconds: gauge('How long a peer takes to answer.', 'peer'),
  peer_capacity_bytes: gauge('Room for chunks that a peer has published.', 'peer'),
  peer_failures_total: counter('Transfers with a peer that it broke off or did not answer.', 'peer'),
  peer_corruptions_total: counter('Chunks that a peer sent and that were not what they should be.', 'peer'),

  store_chunks: gauge('Chunks that this peer stores.'),
  store_bytes: gauge('Bytes of chunks that this peer stores.'),
  store_partial_bytes: gauge('Bytes of chunks that have come in part.'),
  store_free_bytes: gauge('Bytes that this peer could still write, with the reserve.'),
  store_reserve_bytes: gauge('Bytes of the disk that chunks never use up.'),
  outbox_deletes: gauge('Deletions that wait for peers.'),

  users_unlocked: gauge('Users who are unlocked at this peer.'),
  stripes: gauge('Stripes of the unlocked user; only while one user is unlocked.'),
  stripes_degraded: gauge('Stripes of the unlocked user that lack a chunk at peers that answer.'),
  stripes_lost: gauge('Stripes of the unlocked user whose record is lost.'),
  peers_may_fail: gauge(
    'Peers that may fail without loss, for the files of the unlocked user; below 0 some cannot be read.',
  ),
  zones_may_fail: gauge('Whole zones that may fail without loss, likewise.'),
  peer_may_fail: gauge(
    'Whether a peer may fail now, for the files of the unlocked user: 1, or 0. Of those that have not failed already.',
    'peer',
  ),
  peer_denied_chunks: gauge(
    'Chunks that the records place at a peer and that it says, asked twice, it does not have or has damaged.',
    'peer',
  ),
  holdings_age_seconds: gauge('How long ago the peer was compared with the records that was compared longest ago.'),
  files: gauge('Files of the unlocked user: healthy, degraded, at_risk, or lost, which cannot be read now.', 'state'),
  files_bytes: gauge('Bytes of these files.', 'state'),
  files_waiting: gauge('Files of the unlocked user of which a chunk is to be rebuilt.'),

  files_total: counter('Files stored (put) and fetched (get), by how that ended.', 'action', 'outcome'),
  file_bytes_total: counter('Bytes of files that are safe (put) or were fetched (get).', 'action'),
  stripes_moved_total: counter(
    'Stripes stored (put), and times that something of one was fetched (get), by how that ended.',
    'action',
    'outcome',
  ),
  stripes_stored_degraded_total: counter('Stripes that were stored with a chunk missing.'),
  segments_read_around_total: counter(
    'Segments that were not what they should be, and came from other chunks instead.',
  ),
  scrub_chunks_total: counter('Chunks of this disk that scrubs have read.'),
  scrub_bytes_total: counter('Bytes of chunks of this disk that scrubs have read.'),
  scrub_healed_segments_total: counter('Segments that had rotted, or were gone, and were written again.'),
  scrub_healed_bytes_total: counter('Bytes of these segments.'),
  scrub_healed_chunks_total: counter('Chunks of which a scrub has mended anything.'),
  scrub_moved_bytes_total: counter('Bytes that other peers have sent for that.'),
  scrub_failures_total: counter('Times that a scrub could not mend a chunk: too few others of its stripe, say.'),
  audits_total: counter('Audits of other peers, by how they ended.', 'outcome'),
  repaired_chunks_total: counter('Chunks that this peer has found a new place for.'),
  repair_failures_total: counter('Times that a chunk was left without a good place.'),
  rebuilt_chunks_total: counter('Chunks that this peer has rebuilt into its own store, whoever asked.'),
  rebuild_moved_bytes_total: counter('Bytes that other peers have sent for that.'),
  rebalanced_chunks_total: counter('Chunks of whole stripes that this peer had moved to peers that joined.'),
  surplus_chunks_dropped_total: counter('Own chunks that were dropped because they lie elsewhere by now.'),
  stray_chunks_deleted_total: counter('Chunks whose deletion was begun because no file referred to them.'),
  stray_bytes_deleted_total: counter('Their bytes.'),
  compacted_stripes_total: counter('Stripes of which little was needed, and that was stored anew elsewhere.'),
  compaction_moved_bytes_total: counter('Sealed bytes of them that were stored anew.'),
  compaction_freed_bytes_total: counter('Sealed bytes of them that nobody needed.'),
  chunk_sent_bytes_total: counter('Bytes of chunks that the File Sender has sent because somebody asked.'),
  chunk_received_bytes_total: counter('Bytes of chunks that the File Receiver was sent.'),

  sync_failing: gauge('Whether a replication fails at the moment.', 'host', 'database', 'direction'),
  sync_pending: gauge('Changes that are to be copied, at most.', 'host', 'database', 'direction'),
  sync_lag_seconds: gauge(
    'Time since a replication was last known to work; 0 while it is.',
    'host',
    'database',
    'direction',
  ),
  sync_last_success_seconds: gauge('Unix time of the last success.', 'host', 'database', 'direction'),
  sync_written_total: counter('Documents that were copied.', 'host', 'database', 'direction'),
  sync_refused_total: counter('Documents that were refused.', 'host', 'database', 'direction'),
  databases_damaged: gauge('Databases that were found damaged, and set aside.'),
  record_problems: gauge('Records of the shared databases that are not as they should be.'),

  http_requests_active: gauge('Requests to the HTTP API under way.', 'method', 'route'),
  http_requests_failed_total: counter(
    'Requests to the HTTP API that failed by the peer’s own fault.',
    'method',
    'route',
  ),
  http_request_seconds: histogram(
    'How long requests to the HTTP API took, their transfers included.',
    'method',
    'route',
  ),
  grpc_calls_active: gauge('gRPC calls of other peers and processes under way.', 'method'),
  grpc_calls_failed_total: counter('gRPC calls that were refused or failed.', 'method'),
  grpc_call_seconds: histogram('How long gRPC calls took, their transfers included.', 'method'),
} as const satisfies Readonly<Record<string, MetricEntry>>;

export type MetricName = keyof typeof METRICS;

/** What runtimes are watched by everywhere, under the names that it has there. */
export const PROCESS_METRICS = {
  process_cpu_seconds_total: counter('CPU time of the process, all threads.', 'mode'),
  process_resident_memory_bytes: gauge('Memory of the process.'),
  process_start_time_seconds: gauge('Unix time when the process began.'),
  process_open_fds: gauge('Open files and connections.'),
  nodejs_heap_size_used_bytes: gauge('JavaScript heap in use.'),
  nodejs_eventloop_lag_seconds: gauge('Delay of the event loop since the metrics were last read.', 'quantile'),
  nodejs_eventloop_utilization_ratio: gauge(
    'Share of the time that the event loop worked, since the metrics were last read.',
  ),
} as const satisfies Readonly<Record<string, MetricEntry>>;
