import type { HistoryReply } from '../api/types.js';
import { counted, formatBytes, formatCount, formatLatency } from '../format.js';

type Unit = HistoryReply['series'][number]['unit'];

/** A value of a series as people read it. */
export function formatValue(value: number, unit: Unit): string {
  switch (unit) {
    case 'bytes':
      return formatBytes(value);
    case 'bytes/s':
      return `${formatBytes(value)}/s`;
    case 'ms':
      return formatLatency(value);
    case 'segments/s':
      return `${String(Math.round(value * 100) / 100)}/s`;
    case 'files':
    case 'peers':
    case 'stripes':
      return Number.isInteger(value) ? formatCount(value) : '';
  }
}

/** "3 minutes", "2 hours": as exactly as somebody who waits wants to know. */
export function durationOf(seconds: number): string {
  if (seconds < 90) return counted(Math.max(1, Math.round(seconds)), 'second');
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return counted(minutes, 'minute');
  const hours = Math.round(seconds / 3600);
  return hours < 48 ? counted(hours, 'hour') : counted(Math.round(hours / 24), 'day');
}
