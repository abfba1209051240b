import { formatBytes } from '../format.js';

/** Speeds and times of files. The locale is that of the texts (strings.ts), not of the browser's: they stand in one sentence. */
const LOCALE = 'en-GB';

const DAY_MS = 86_400_000;
const clock = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', hour12: false });
const date = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short', year: 'numeric' });
const full = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'long', timeStyle: 'short' });

/** "12.3 MB/s" */
export function formatSpeed(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

/** "14:03" for today, "22 Nov 2026" else; empty for what is no time. */
export function formatMoment(rfc3339: string, nowMs: number): string {
  const time = new Date(rfc3339);
  const ms = time.getTime();
  if (Number.isNaN(ms)) return '';
  const today = new Date(nowMs).setHours(0, 0, 0, 0);
  return ms >= today && ms < today + DAY_MS ? clock.format(time) : date.format(time);
}

/** All of it, for whoever points at the short form. */
export function formatFullTime(rfc3339: string): string {
  const time = new Date(rfc3339);
  return Number.isNaN(time.getTime()) ? '' : full.format(time);
}
