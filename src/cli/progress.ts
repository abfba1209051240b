import type { Invocation } from './invocation.js';
import { formatBytes, formatSeconds, formatSpeed } from './units.js';

/** How far a transfer is, in bytes. */
export interface Progress {
  /** More is known to be coming. */
  expect(bytes: number): void;
  /** So much more is done. */
  advance(bytes: number): void;
  /** So much was done before. */
  skip(bytes: number): void;
  /** A remark, above the bar. */
  note(text: string): void;
  /** Takes the bar away; may be called twice. */
  stop(): void;
}

export interface ProgressOptions {
  readonly label: string;
  /** Without it there is no bar and no time left, only how much is done. */
  readonly lengthKnown: boolean;
}

/** Bars a second: enough to look alive, and no work for the terminal. */
const BARS_PER_SECOND = 8;

/** To the start of the line that the bar is on, and what is on it away; the bar is drawn anew below. */
const CLEAR_LINE = '\r\u001b[K';

/** A bar on stderr with speed and time left, on a terminal only: nothing in a pipe, nor with --json. */
export async function openProgress(
  invocation: Pick<Invocation, 'json' | 'runtime' | 'note'>,
  { label, lengthKnown }: ProgressOptions,
): Promise<Progress> {
  const { stderr } = invocation.runtime;
  const nothing = (): void => undefined;
  const note = (text: string): void => {
    invocation.note(text);
  };
  if (invocation.json || stderr.isTTY !== true) {
    return { expect: nothing, advance: nothing, skip: nothing, note, stop: nothing };
  }
  const { default: cliProgress } = await import('cli-progress');
  const bar = new cliProgress.SingleBar(
    {
      format: `${label}  ${lengthKnown ? '{bar}  {percentage}%  ' : ''}{amount}  {speed}  {left}`,
      stream: stderr,
      fps: BARS_PER_SECOND,
      clearOnComplete: true,
      barsize: 24,
    },
    cliProgress.Presets.shades_classic,
  );
  const started = performance.now();
  let total = 0;
  let done = 0;
  let skipped = 0;
  const payload = (): Record<string, string> => {
    const seconds = (performance.now() - started) / 1000;
    const moved = done - skipped;
    const left = moved === 0 ? 0 : (seconds * Math.max(0, total - done)) / moved;
    return {
      amount: lengthKnown ? `${formatBytes(done)} of ${formatBytes(total)}` : formatBytes(done),
      speed: formatSpeed(moved, seconds),
      left: lengthKnown && moved > 0 ? `${formatSeconds(left)} left` : '',
    };
  };
  bar.start(1, 0, payload()); // a total of 0 would show as 100 %
  return {
    expect: (bytes) => {
      total += bytes;
      bar.setTotal(Math.max(1, total));
    },
    advance: (bytes) => {
      done += bytes;
      bar.update(Math.min(done, total), payload());
    },
    skip: (bytes) => {
      skipped += bytes;
      done += bytes;
      bar.update(Math.min(done, total), payload());
    },
    note: (text) => {
      stderr.write(CLEAR_LINE);
      note(text);
    },
    stop: () => {
      bar.stop();
    },
  };
}
