import type { StatusReply } from './api.js';

export const METRICS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels?: Labels;
  readonly value: number;
}

interface Metric {
  readonly name: string;
  readonly type: 'gauge' | 'counter';
  readonly help: string;
  readonly samples: readonly Sample[];
}

/** A status for Prometheus, in its text format (prometheus.io, "Exposition formats", version 0.0.4). */
export function metricsText(status: StatusReply): string {
  const metrics = [...peerMetrics(status), ...storeMetrics(status), ...safetyMetrics(status), ...syncMetrics(status)];
  return metrics
    .filter(({ samples }) => samples.length > 0)
    .map(write)
    .join('');
}

function write({ name, type, help, samples }: Metric): string {
  const lines = samples.map(({ labels, value }) => `shoal_${name}${writeLabels(labels)} ${String(value)}\n`);
  return `# HELP shoal_${name} ${help}\n# TYPE shoal_${name} ${type}\n${lines.join('')}`;
}

function writeLabels(labels: Labels = {}): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escape(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/** Names of peers are anybody's choice. */
function escape(text: string): string {
  return text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));
}

/** @param value null: not known */
function gauge(name: string, help: string, value: number | null): Metric {
  return { name, type: 'gauge', help, samples: value === null ? [] : [{ value }] };
}

function peerMetrics({ peers }: StatusReply): Metric[] {
  const samples = peers.map(({ name, up }) => ({ labels: { peer: name }, value: up ? 1 : 0 }));
  return [{ name: 'peer_up', type: 'gauge', help: 'Whether a peer answers.', samples }];
}

function storeMetrics({ store, outbox }: StatusReply): Metric[] {
  return [
    gauge('store_chunks', 'Chunks that this peer stores.', store?.chunks ?? null),
    gauge('store_bytes', 'Bytes of chunks that this peer stores.', store?.bytes ?? null),
    gauge('store_free_bytes', 'Free bytes of the disk.', store?.freeBytes ?? null),
    gauge('outbox_deletes', 'Deletions that wait for peers.', outbox.pendingDeletes),
  ];
}

/** Only while one user is unlocked: nobody else can tell. */
function safetyMetrics({ safety }: StatusReply): Metric[] {
  if (safety === null) return [];
  return [
    gauge('stripes', 'Stripes of the unlocked user.', safety.stripes),
    gauge('stripes_degraded', 'Stripes that lack a chunk.', safety.degraded),
    gauge('stripes_lost', 'Stripes whose record is lost.', safety.lost),
    gauge('peers_may_fail', 'Peers that may fail without a loss.', safety.mayFail),
  ];
}

function syncMetrics({ sync: { streams, damaged }, problems }: StatusReply): Metric[] {
  const labelled = streams.map((stream) => {
    const { hostName: host, database, direction } = stream;
    return { labels: { host, database, direction }, stream };
  });
  const each = (value: (stream: (typeof streams)[number]) => number | null): Sample[] =>
    labelled.flatMap(({ labels, stream }) => {
      const found = value(stream);
      return found === null ? [] : [{ labels, value: found }];
    });
  const failing = each(({ phase }) => (phase === 'failing' ? 1 : 0));
  const lastSuccess = each(({ lastSuccessMs }) => (lastSuccessMs === null ? null : lastSuccessMs / 1000));
  return [
    { name: 'sync_failing', type: 'gauge', help: 'Whether a replication fails at the moment.', samples: failing },
    {
      name: 'sync_pending',
      type: 'gauge',
      help: 'Changes that are to be copied, at most.',
      samples: each(({ pending }) => pending),
    },
    {
      name: 'sync_last_success_seconds',
      type: 'gauge',
      help: 'Unix time of the last success.',
      samples: lastSuccess,
    },
    {
      name: 'sync_written_total',
      type: 'counter',
      help: 'Documents that were copied.',
      samples: each(({ written }) => written),
    },
    {
      name: 'sync_refused_total',
      type: 'counter',
      help: 'Documents that were refused.',
      samples: each(({ refused }) => refused),
    },
    gauge('databases_damaged', 'Databases that were set aside.', damaged.length),
    gauge('record_problems', 'Records of the shared databases that are not as they should be.', problems.length),
  ];
}
