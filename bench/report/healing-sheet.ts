import { count, formatBytes } from '../../src/cli/units.js';
import type { Healed, RepairResult, ScrubResult } from '../healing/result.js';
import type { Use } from '../measure/use.js';
import type { Sheet } from './sheets.js';

const NONE = '–';
const KIB = 1024;
const MIB = 2 ** 20;

/** Repair and scrub: MB/s and CPU-s/GiB are of what was lost, or of what was read. */
export function healingSheet(repair: RepairResult | undefined, scrub: ScrubResult | undefined): Sheet {
  return {
    title: 'Healing',
    heading: ['work', 'amount', 'MB/s', 'CPU-s/GiB', 'moved for each'],
    align: ['left', 'left', 'right', 'right', 'right'],
    rows: [...(repair === undefined ? [] : [repairRow(repair)]), ...(scrub === undefined ? [] : scrubRows(scrub))],
  };
}

function repairRow(repair: RepairResult): string[] {
  const { bytes, seconds } = repair;
  return [
    'repair of chunks without a holder',
    `${count(repair.count, 'chunk')}, ${formatBytes(bytes)}`,
    ...pace({ bytes, seconds, cpuSeconds: cpuOf(repair) }),
    movedFor(repair),
  ];
}

function scrubRows({ scrub, disk, segments, chunks }: ScrubResult): string[][] {
  const { bytes, seconds } = scrub;
  const read = `${count(scrub.chunks, 'chunk')}, ${formatBytes(bytes)}`;
  return [
    ['scrub of a peer, nothing wrong', read, ...pace({ bytes, seconds, cpuSeconds: cpuOf(scrub) }), NONE],
    ['reading the same files', formatBytes(disk.bytes), ...pace(disk), NONE],
    ['rotten segments, by a scrub', count(segments.count, 'segment'), NONE, NONE, movedFor(segments)],
    ['chunks that were gone, by a scrub', count(chunks.count, 'chunk'), NONE, NONE, movedFor(chunks)],
  ];
}

function cpuOf({ clientCpuSeconds, serverCpuSeconds }: Use): number {
  return clientCpuSeconds + serverCpuSeconds;
}

interface Pace {
  readonly bytes: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

function pace({ bytes, seconds, cpuSeconds }: Pace): [string, string] {
  return [(bytes / 1e6 / seconds).toFixed(0), ((cpuSeconds * 2 ** 30) / bytes).toFixed(2)];
}

function movedFor({ count: healed, movedBytes }: Healed): string {
  if (healed === 0) return NONE;
  const each = movedBytes / healed;
  return each < MIB ? `${(each / KIB).toFixed(0)} KiB` : `${(each / MIB).toFixed(1)} MiB`;
}
