/** Numbers, sizes and times as people read them. */
const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** Decimal units, as disks and networks are sold: "268.4 MB". */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (Math.abs(value) >= 999.95 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || Math.abs(value) >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? 'PB'}`;
}

/** "1,204" */
export function formatCount(amount: number): string {
  return amount.toLocaleString('en-US');
}

/** "1 file", "5,000 files". */
export function counted(amount: number, noun: string): string {
  return `${formatCount(amount)} ${noun}${amount === 1 ? '' : 's'}`;
}

/** "22 Nov 2026, 14:03" in the zone of this browser. @param time RFC 3339, or Unix milliseconds */
export function formatTime(time: string | number): string {
  return new Date(time).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
}

/** "22 Nov 2026" */
export function formatDay(time: string | number): string {
  return new Date(time).toLocaleDateString('en-GB', { dateStyle: 'medium' });
}

const STEPS: readonly (readonly [unit: Intl.RelativeTimeFormatUnit, ms: number])[] = [
  ['year', 365 * 86_400_000],
  ['month', 30 * 86_400_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
];
const RELATIVE = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

/** "3 minutes ago", "in 2 hours", "now". @param time RFC 3339, or Unix milliseconds */
export function formatAgo(time: string | number, nowMs: number = Date.now()): string {
  const aheadMs = new Date(time).getTime() - nowMs;
  for (const [unit, ms] of STEPS) {
    if (Math.abs(aheadMs) >= ms) return RELATIVE.format(Math.trunc(aheadMs / ms), unit);
  }
  return RELATIVE.format(0, 'second');
}

/** "0.4 ms", "12 ms", "1.2 s" */
export function formatLatency(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms < 9.95 ? ms.toFixed(1).replace(/\.0$/, '') : ms.toFixed(0)} ms`;
}

/** "4 s", "3 min", "2 h 10 min", "3 days": as exactly as somebody who waits wants to know. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return `${String(whole)} s`;
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return `${String(minutes)} min`;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60];
  if (hours >= 48) return counted(Math.round(hours / 24), 'day');
  return rest === 0 ? `${String(hours)} h` : `${String(hours)} h ${String(rest)} min`;
}

/** An id as people compare it: the first 16 of its 32 bytes, in groups. */
export function fingerprint(id: string): string {
  return (id.slice(0, 32).match(/.{4}/g) ?? []).join(' ');
}
