import type { HistoryReply } from '../api/types.js';

type Series = HistoryReply['series'][number];

/** Columns over one axis of time: what a chart draws. Times are Unix seconds; null is a gap. */
export interface Columns {
  readonly times: readonly number[];
  readonly values: readonly (readonly (number | null)[])[];
}

/** A pause longer than so many usual steps is a time in which nobody measured: the line breaks. */
const GAP_STEPS = 3;

/** Puts several series over the same times; where one has no point, its line goes on to the next. */
export function columnsOf(series: readonly Pick<Series, 'points'>[]): Columns {
  const times = [...new Set(series.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const breaks = breaksIn(times);
  const all = [...times, ...breaks].sort((a, b) => a - b);
  const values = series.map(({ points }) => {
    const known = new Map(points.map(([at, value]) => [at, value]));
    return all.map((at) => known.get(at) ?? null);
  });
  return { times: all.map((at) => at / 1000), values };
}

/** A moment within each long pause, at which no series has a value. */
function breaksIn(times: readonly number[]): number[] {
  const steps = times.slice(1).map((at, index) => at - (times[index] ?? at));
  const usual = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
  return times.slice(1).flatMap((at, index) => {
    const before = times[index] ?? at;
    return at - before > GAP_STEPS * usual ? [before + (at - before) / 2] : [];
  });
}

/** The last value of a series; null where there is none. */
export function latest({ points }: Pick<Series, 'points'>): number | null {
  return points.at(-1)?.[1] ?? null;
}
