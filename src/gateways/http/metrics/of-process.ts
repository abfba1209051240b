import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay, performance, type EventLoopUtilization, type IntervalHistogram } from 'node:perf_hooks';
import { familyOf, type Family, type Sample } from './family.js';
import { PROCESS_METRICS } from './table.js';

/** Milliseconds between two looks at the event loop: often enough to see what a user feels. */
const RESOLUTION_MS = 20;
const QUANTILES = [50, 99] as const;
const NS = 1e9;

/** Watches the runtime of this process, from the first time that somebody asks. */
export class ProcessWatch implements Disposable {
  #delay: IntervalHistogram | undefined;
  #utilization: EventLoopUtilization | undefined;

  async families(): Promise<readonly Family[]> {
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed } = process.memoryUsage();
    return [
      of('process_cpu_seconds_total', [
        { labels: { mode: 'user' }, value: user / 1e6 },
        { labels: { mode: 'system' }, value: system / 1e6 },
      ]),
      of('process_resident_memory_bytes', [{ value: rss }]),
      of('process_start_time_seconds', [{ value: Math.round(performance.timeOrigin / 1000) }]),
      of('process_open_fds', await openFiles()),
      of('nodejs_heap_size_used_bytes', [{ value: heapUsed }]),
      of('nodejs_eventloop_lag_seconds', this.#lag()),
      of('nodejs_eventloop_utilization_ratio', [{ value: this.#utilizationSince() }]),
    ];
  }

  [Symbol.dispose](): void {
    this.#delay?.disable();
  }

  #lag(): Sample[] {
    const delay = this.#delay;
    if (delay === undefined) {
      this.#delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
      this.#delay.enable();
      return [];
    }
    // What is measured is the pause between two looks, the resolution included.
    const late = (ns: number): number => Math.max(0, ns / NS - RESOLUTION_MS / 1000);
    const samples = QUANTILES.map((percent) => ({
      labels: { quantile: String(percent / 100) },
      value: late(delay.percentile(percent)),
    }));
    samples.push({ labels: { quantile: '1' }, value: late(delay.max) });
    delay.reset();
    return samples;
  }

  #utilizationSince(): number {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#utilization);
    this.#utilization = now;
    return utilization;
  }
}

function of(name: keyof typeof PROCESS_METRICS, samples: readonly Sample[]): Family {
  return familyOf(name, PROCESS_METRICS[name], samples);
}

/** None where the system has no /proc. */
async function openFiles(): Promise<Sample[]> {
  try {
    return [{ value: (await readdir('/proc/self/fd')).length }];
  } catch {
    return [];
  }
}
