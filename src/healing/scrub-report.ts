import type { ScrubCount } from '../counts.js';
import { amount, inBinary } from './words.js';

/** What scrubs did; see ScrubCount. */
export type ScrubTotals = Readonly<Record<keyof ScrubCount, number>>;

export function snapshot(count: Readonly<ScrubCount>): ScrubTotals {
  return { ...count };
}

/** What has been added since. */
export function since(count: Readonly<ScrubCount>, before: ScrubTotals): ScrubTotals {
  const names = Object.keys(before) as (keyof ScrubCount)[];
  return Object.fromEntries(names.map((name) => [name, count[name] - before[name]])) as Record<
    keyof ScrubCount,
    number
  >;
}

/** "3 segments (384 KiB) healed, moved 1.5 MiB": what was mended, in words; empty when nothing was. */
export function healedInWords(totals: ScrubTotals): string {
  const { healedSegments, healedBytes, movedBytes, adoptedChunks, mendedRows, removedFiles, failures } = totals;
  const parts = [
    healedSegments > 0 &&
      `${amount(healedSegments, 'segment')} (${inBinary(healedBytes)}) healed, moved ${inBinary(movedBytes)}`,
    adoptedChunks > 0 && `${amount(adoptedChunks, 'chunk')} taken up again whose row was lost`,
    mendedRows > 0 && `${amount(mendedRows, 'label or hash list', 'labels or hash lists')} found again`,
    removedFiles > 0 && `${amount(removedFiles, 'file')} removed that belonged to nothing`,
    failures > 0 && `${amount(failures, 'damaged chunk')} could not be mended yet`,
  ];
  return parts.filter((part) => part !== false).join('; ');
}
