import { table } from '../../src/cli/table.js';
import { formatBytes } from '../../src/cli/units.js';
import type { CampaignResult } from './result.js';

const MOST_VIOLATIONS = 20;

/** For a terminal. */
export function tableOf(result: CampaignResult): string {
  const { operations, faults, healed, final, beyond, violations, remarks } = result;
  const operationRows = operations.map(({ operation, outcome, times }) => [operation, outcome, String(times)]);
  const faultRows = faults.map(({ kind, times, broken }) => [kind, String(times), String(broken)]);
  const blocks = [
    `Seed ${String(result.seed)}, ${String(result.seconds)} s of load and faults, ${String(result.rounds)} rounds of faults`,
    table(['fault', 'times', 'broken'], faultRows, ['left', 'right', 'right']),
    table(['operation', 'ended', 'times'], operationRows, ['left', 'left', 'right']),
    [
      `Written: ${formatBytes(result.writtenBytes)}, acknowledged.`,
      `Scrub: ${String(healed.healedSegments)} segments (${formatBytes(healed.healedBytes)}) of ${String(healed.healedChunks)} chunks healed, ${formatBytes(healed.scrubMovedBytes)} moved; ${String(healed.adoptedChunks)} chunks taken up again, ${String(healed.mendedRows)} labels or hash lists found again, ${String(healed.removedFiles)} files removed.`,
      `Repair: ${String(healed.replacedChunks)} chunks given a new place, ${String(healed.rebuiltChunks)} rebuilt, ${formatBytes(healed.repairMovedBytes)} moved.`,
      `Compared in the end: ${String(final.claims)} files and removals, ${String(final.files)} of these files that must be there; ${String(final.pairReads)} reads without two peers, ${String(final.pairs)} of ${String(final.allPairs)} pairs.`,
    ].join('\n'),
  ];
  if (beyond !== undefined) {
    blocks.push(
      `Beyond: ${beyond.destroyed.join(', ')} destroyed; ${String(beyond.lost)} files lost of ${String(beyond.lostByArithmetic)} that may be; ${String(beyond.stripesSaidToBeLost)} stripes said to be lost.`,
    );
  }
  if (remarks.length > 0) blocks.push(remarks.join('\n'));
  const shown = violations.slice(0, MOST_VIOLATIONS).map(({ kind, path, detail }) => `  ${kind} ${path}: ${detail}`);
  blocks.push([`Violations: ${countsOf(violations)}`, ...shown].join('\n'));
  return `${blocks.join('\n\n')}\n`;
}

/** Of every kind, however many are shown: "25 (unreadable 24, lost 1)". */
function countsOf(violations: CampaignResult['violations']): string {
  const kinds = new Map<string, number>();
  for (const { kind } of violations) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const each = [...kinds].map(([kind, times]) => `${kind} ${String(times)}`);
  return `${String(violations.length)}${each.length === 0 ? '' : ` (${each.join(', ')})`}`;
}
