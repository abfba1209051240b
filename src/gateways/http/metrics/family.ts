import { METRICS, type MetricEntry, type MetricName } from './table.js';

/** A metric with its samples, in the shape in which prom-client has them as JSON. */
export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: MetricEntry['type'];
  readonly values: readonly {
    readonly labels: Readonly<Record<string, string>>;
    readonly value: number;
    /** Of a histogram: the name with `_bucket`, `_sum` or `_count`. */
    readonly metricName?: string | undefined;
  }[];
}

export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
  /** Of a histogram: `bucket`, `sum` or `count`. */
  readonly part?: string;
}

/** Before the name of every metric of Shoal's own. */
export const PREFIX = 'shoal_';

/** A metric of the table, with its samples. */
export function family(name: MetricName, samples: readonly Sample[]): Family {
  const { type, help } = METRICS[name];
  return familyOf(PREFIX + name, { type, help }, samples);
}

/** A metric whose one sample may not be known. */
export function single(name: MetricName, value: number | null): Family {
  return family(name, value === null ? [] : [{ value }]);
}

/** One that others have named. */
export function familyOf(
  name: string,
  { type, help }: Pick<MetricEntry, 'type' | 'help'>,
  samples: readonly Sample[],
): Family {
  const values = samples.map(({ labels = {}, value, part }) => ({
    labels,
    value,
    ...(part !== undefined && { metricName: `${name}_${part}` }),
  }));
  return { name, help, type, values };
}
