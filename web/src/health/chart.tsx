import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { HistoryReply } from '../api/types.js';
import { HEALTH } from '../strings-health.js';
import { theme } from '../theme.js';
import { useMedia } from '../ui/use-media.js';
import { columnsOf, latest } from './chart-data.js';
import { formatValue } from './units.js';

type Series = HistoryReply['series'][number];

const HEIGHT = 170;
/** Custom properties of the strokes, in order of the series. */
const COLOURS = ['--accent', '--good', '--warn'] as const;

interface ChartProps {
  readonly title: string;
  /** All of one unit. */
  readonly series: readonly Series[];
}

/** Lines over time, with what they are now in words. */
export function Chart({ title, series }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const isDark = useMedia('(prefers-color-scheme: dark)');
  const chosen = theme.value;
  useEffect(() => {
    const element = place.current;
    if (element === null) return undefined;
    const chart = draw(element, series);
    const watch = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      chart.destroy();
    };
  }, [series, isDark, chosen]);
  const said = series.map((each) => `${nameOf(each)}: ${HEALTH.now(valueOf(each))}`).join(', ');
  return (
    <figure class="card chart">
      <figcaption>
        <h3>{title}</h3>
        <ul class="chart-legend">
          {series.map((each, index) => (
            <li key={each.name} class={`chart-key chart-key-${String(index)}`}>
              {nameOf(each)} <strong>{valueOf(each)}</strong>
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="chart-place" ref={place} role="img" aria-label={`${title}. ${said}`} />
    </figure>
  );
}

function nameOf({ name }: Series): string {
  return HEALTH.series[name] ?? name;
}

function valueOf(series: Series): string {
  const value = latest(series);
  return value === null ? '–' : formatValue(value, series.unit);
}

function draw(element: HTMLElement, series: readonly Series[]): uPlot {
  const style = getComputedStyle(element);
  const colour = (name: string): string => resolved(element, name);
  const { times, values } = columnsOf(series);
  const unit = series[0]?.unit ?? 'bytes';
  const axis = {
    stroke: colour('--text-soft'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
  };
  const ticks = { show: false };
  const options: uPlot.Options = {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_chart, _least, most) => [0, most > 0 ? most * 1.1 : 1] } },
    axes: [
      { ...axis, ticks, values: TIME_LABELS, space: 70 },
      { ...axis, ticks, size: 62, values: (_chart, splits) => splits.map((value) => formatValue(value, unit)) },
    ],
    series: [
      {},
      ...series.map((each, index) => {
        const stroke = colour(COLOURS[index % COLOURS.length] ?? '--accent');
        return {
          label: nameOf(each),
          stroke,
          width: 2,
          fill: index === 0 ? `${stroke}1f` : '',
          points: { show: false },
        };
      }),
    ],
  };
  return new uPlot(options, [[...times], ...values.map((column) => [...column])], element);
}

/** Times of day without AM and PM: uPlot's own are American. */
const TIME_LABELS: uPlot.Axis.Values = [
  [3600 * 24 * 28, '{MMM} {YYYY}', null, null, null, null, null, null, 1],
  [3600 * 24, '{D} {MMM}', null, null, null, null, null, null, 1],
  [60, '{HH}:{mm}', '\n{D} {MMM}', null, null, null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', null, null, null, null, null, null, 1],
];

/**
 * A custom property as a canvas understands it: light-dark() is for style sheets alone. A new element has no transition from
 * the colour before.
 */
function resolved(element: HTMLElement, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  const [red = 0, green = 0, blue = 0] = (color.match(/\d+/g) ?? []).map(Number);
  probe.remove();
  return `#${[red, green, blue].map((part) => part.toString(16).padStart(2, '0')).join('')}`;
}
