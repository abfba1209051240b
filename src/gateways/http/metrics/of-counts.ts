import {
  BOUNDS_SECONDS,
  type Counts,
  type ScrubCount,
  type Tallies,
  type Tally,
  type TransferCount,
} from '../../../counts.js';
import { family, type Family, type Sample } from './family.js';
import type { MetricName } from './table.js';

/** What a process has counted. */
export function familiesOfCounts(counts: Counts): readonly Family[] {
  const { requests, calls, put, get } = counts;
  return [
    ...ofTransfers({ put, get }),
    family('stripes_stored_degraded_total', [{ value: counts.degradedStripes }]),
    family('segments_read_around_total', [{ value: counts.corruptSegments }]),
    ...ofScrub(counts.scrub),
    ...ofRepair(counts),
    family('chunk_sent_bytes_total', [{ value: counts.sentBytes }]),
    family('chunk_received_bytes_total', [{ value: counts.receivedBytes }]),
    family('peer_failures_total', byPeer(counts.peerFailures)),
    family('peer_corruptions_total', byPeer(counts.peerCorruptions)),
    ...ofTallies(requests, requestLabels, {
      active: 'http_requests_active',
      failed: 'http_requests_failed_total',
      seconds: 'http_request_seconds',
    }),
    ...ofTallies(calls, (path) => ({ method: path.replace(/^\/shoal\.v1\./, '') }), {
      active: 'grpc_calls_active',
      failed: 'grpc_calls_failed_total',
      seconds: 'grpc_call_seconds',
    }),
  ];
}

function ofScrub(scrub: ScrubCount): Family[] {
  return [
    family('scrub_chunks_total', [{ value: scrub.chunks }]),
    family('scrub_bytes_total', [{ value: scrub.bytes }]),
    family('scrub_healed_segments_total', [{ value: scrub.healedSegments }]),
    family('scrub_healed_bytes_total', [{ value: scrub.healedBytes }]),
    family('scrub_healed_chunks_total', [{ value: scrub.healedChunks }]),
    family('scrub_moved_bytes_total', [{ value: scrub.movedBytes }]),
    family('scrub_failures_total', [{ value: scrub.failures }]),
  ];
}

function ofRepair({ repair, audits, garbage, compaction }: Counts): Family[] {
  const outcomes = Object.entries(audits).map(([outcome, value]) => ({ labels: { outcome }, value: Number(value) }));
  return [
    family('audits_total', outcomes),
    family('repaired_chunks_total', [{ value: repair.chunks }]),
    family('repair_failures_total', [{ value: repair.failedChunks }]),
    family('rebuilt_chunks_total', [{ value: repair.rebuiltChunks }]),
    family('rebuild_moved_bytes_total', [{ value: repair.movedBytes }]),
    family('rebalanced_chunks_total', [{ value: repair.rebalancedChunks }]),
    family('surplus_chunks_dropped_total', [{ value: repair.droppedChunks }]),
    family('stray_chunks_deleted_total', [{ value: garbage.chunks }]),
    family('stray_bytes_deleted_total', [{ value: garbage.bytes }]),
    family('compacted_stripes_total', [{ value: compaction.stripes }]),
    family('compaction_moved_bytes_total', [{ value: compaction.movedBytes }]),
    family('compaction_freed_bytes_total', [{ value: compaction.deadBytes }]),
  ];
}

type Labels = Readonly<Record<string, string>>;

function byPeer(counts: ReadonlyMap<string, number>): Sample[] {
  return [...counts].map(([peer, value]) => ({ labels: { peer }, value }));
}

function ofTransfers(transfers: Readonly<Record<'put' | 'get', TransferCount>>): Family[] {
  const each = (samples: (count: TransferCount) => readonly (readonly [Labels, number])[]): Sample[] =>
    Object.entries(transfers).flatMap(([action, count]) =>
      samples(count).map(([labels, value]) => ({ labels: { action, ...labels }, value })),
    );
  const ended = (done: number, failed: number): [Labels, number][] => [
    [{ outcome: 'done' }, done],
    [{ outcome: 'failed' }, failed],
  ];
  return [
    family(
      'files_total',
      each(({ done, failed }) => ended(done, failed)),
    ),
    family(
      'file_bytes_total',
      each(({ bytes }) => [[{}, bytes]]),
    ),
    family(
      'stripes_moved_total',
      each(({ stripes, failedStripes }) => ended(stripes, failedStripes)),
    ),
  ];
}

/** @param kind "GET /v1/status" */
function requestLabels(kind: string): Labels {
  const [method = '', route = ''] = kind.split(' ');
  return { method, route };
}

interface TallyNames {
  readonly active: MetricName;
  readonly failed: MetricName;
  readonly seconds: MetricName;
}

function ofTallies(tallies: Tallies, labelsOf: (kind: string) => Labels, names: TallyNames): Family[] {
  const labelled = [...tallies.entries()].map(([kind, tally]) => ({ labels: labelsOf(kind), tally }));
  const each = (value: (tally: Tally) => number): Sample[] =>
    labelled.map(({ labels, tally }) => ({ labels, value: value(tally) }));
  return [
    family(
      names.active,
      each(({ active }) => active),
    ),
    family(
      names.failed,
      each(({ failed }) => failed),
    ),
    family(
      names.seconds,
      labelled.flatMap(({ labels, tally }) => histogramOf(tally, labels)),
    ),
  ];
}

/** Buckets of Prometheus count everything up to their bound. */
function histogramOf({ classes, seconds }: Tally, labels: Labels): Sample[] {
  let ended = 0;
  const buckets = classes.map((amount, index) => {
    ended += amount;
    const le = index < BOUNDS_SECONDS.length ? String(BOUNDS_SECONDS[index]) : '+Inf';
    return { labels: { ...labels, le }, value: ended, part: 'bucket' };
  });
  return [...buckets, { labels, value: seconds, part: 'sum' }, { labels, value: ended, part: 'count' }];
}
