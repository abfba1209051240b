import { useSignal } from '@preact/signals';
import { ownApi } from '../api/admin-api.js';
import type { HistoryReply } from '../api/types.js';
import { HEALTH } from '../strings-health.js';
import { Choice } from '../ui/field.js';
import { Notice } from '../ui/notice.js';
import { usePolled } from '../ui/use-polled.js';
import { Chart } from './chart.js';

const HOUR_MS = 3_600_000;
const RANGES = { hour: HOUR_MS, day: 24 * HOUR_MS, week: 7 * 24 * HOUR_MS, year: 365 * 24 * HOUR_MS } as const;
type Range = keyof typeof RANGES;

/** A sample is kept each minute. */
const POLL_MS = 60_000;

/** What stands in one chart: series of one unit. */
const CHARTS: readonly { readonly title: string; readonly series: readonly string[] }[] = [
  { title: HEALTH.chart.space, series: ['chunkBytes', 'freeBytes'] },
  { title: HEALTH.chart.traffic, series: ['putBytes', 'getBytes'] },
  { title: HEALTH.chart.machines, series: ['peersUp', 'peers'] },
  { title: HEALTH.chart.files, series: ['storedBytes'] },
  { title: HEALTH.chart.degraded, series: ['degradedStripes'] },
  { title: HEALTH.chart.latency, series: ['latency'] },
  { title: HEALTH.chart.healed, series: ['healedSegments'] },
];
const ALL = CHARTS.flatMap(({ series }) => series);

/** What the peer has noted over time. */
export function Charts() {
  const range = useSignal<Range>('day');
  const { state } = usePolled((signal) => ownApi.history(ALL, { fromMs: Date.now() - RANGES[range.value], signal }), {
    everyMs: POLL_MS,
    key: range.value,
  });
  const { value, failure } = state.value;
  const found = value === null ? [] : chartsOf(value);
  return (
    <section class="stack" aria-label={HEALTH.charts}>
      <div class="row charts-head">
        <h2>{HEALTH.charts}</h2>
        <Choice
          label={HEALTH.range}
          options={(Object.keys(RANGES) as Range[]).map((name) => ({ value: name, label: HEALTH.ranges[name] }))}
          value={range.value}
          onChange={(name) => (range.value = name)}
        />
      </div>
      {failure === '' ? null : <Notice kind="bad">{failure}</Notice>}
      {value !== null && found.length === 0 ? <p class="soft">{HEALTH.noHistory}</p> : null}
      <div class="charts">
        {found.map(({ title, series }) => (
          <Chart key={title} title={title} series={series} />
        ))}
      </div>
    </section>
  );
}

interface Drawn {
  readonly title: string;
  readonly series: HistoryReply['series'];
}

/** Those of which the peer has anything to tell. */
function chartsOf(history: HistoryReply): Drawn[] {
  return CHARTS.flatMap(({ title, series: names }) => {
    const series = names.flatMap((name) =>
      history.series.filter((each) => each.name === name && each.points.length > 0),
    );
    return series.length === 0 ? [] : [{ title, series }];
  });
}
