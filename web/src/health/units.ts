import type { HistoryReply } from '../api/types.js';
import { formatBytes, formatCount, formatLatency } from '../format.js';

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
