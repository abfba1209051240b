import type { Alignment } from '../../src/cli/table.js';
import { formatBytes } from '../../src/cli/units.js';
import type { Floor } from '../floor/floor.js';
import { FLOOR_WORKS, PRIMITIVES, type Primitive } from '../floor/weights.js';
import type { Listing } from '../gateways/gateways.js';
import type { RangeResult } from '../phases/range.js';
import type { Findings } from '../phases/stage.js';
import type { WorkName, WorkResult } from '../phases/work.js';
import { catalogSheets } from './catalog-sheets.js';
import { figuresOf } from './figures.js';
import { healingSheet } from './healing-sheet.js';

/** A table before it is drawn, for a terminal or for Markdown. */
export interface Sheet {
  readonly title: string;
  readonly heading: readonly string[];
  readonly align: readonly Extract<Alignment, 'left' | 'right'>[];
  readonly rows: readonly (readonly string[])[];
}

const MIB = 2 ** 20;
const NONE = '–';

export function sheetsOf(findings: Findings): Sheet[] {
  const { floor, works, listings, range, repair, scrub, catalog } = findings;
  return [
    ...(works.length === 0 ? [] : [workSheet(works, floor)]),
    ...(listings.length === 0 ? [] : [listingSheet(listings)]),
    ...(range === undefined ? [] : [rangeSheet(range)]),
    ...(repair === undefined && scrub === undefined ? [] : [healingSheet(repair, scrub)]),
    ...(floor === undefined ? [] : [floorSheet(floor)]),
    ...(catalog === undefined ? [] : catalogSheets(catalog)),
  ];
}

function workSheet(works: readonly WorkResult[], floor: Floor | undefined): Sheet {
  const rows = works.map((result) => {
    const figures = figuresOf(result, floor);
    const small = result.files > 1;
    return [
      `${result.system} ${describe(result)}`,
      figures.megabytesPerSecond.toFixed(small ? 1 : 0),
      small ? figures.filesPerSecond.toFixed(0) : NONE,
      small ? NONE : figures.cpuSecondsPerGib.toFixed(2),
      figures.timesFloor === undefined ? NONE : `${figures.timesFloor.toFixed(2)} ×`,
      result.clientCpuSeconds.toFixed(2),
      result.serverCpuSeconds.toFixed(2),
      (result.clientPeakBytes / MIB).toFixed(0),
      result.sourcePeakBytes === undefined ? NONE : (result.sourcePeakBytes / MIB).toFixed(0),
      (result.loopbackBytes / result.bytes).toFixed(2),
    ];
  });
  const heading = [
    ['work', 'MB/s', 'files/s', 'CPU-s/GiB', 'of floor', 'client CPU-s', 'server CPU-s'],
    ['client MiB', 'source MiB', 'loopback'],
  ].flat();
  return { title: 'What was done', heading, align: ['left', ...numbers(heading.length - 1)], rows };
}

const WORK_NAMES: Readonly<Record<WorkName, (size: string) => string>> = {
  'cold-put': (size) => `put ${size}, first of all (cold)`,
  'cold-get': (size) => `get ${size}, first of all (cold)`,
  put: (size) => `put ${size}`,
  get: (size) => `get ${size}`,
  degraded: (size) => `get ${size}, two peers dead`,
  'put-small': (size) => `put ${size}`,
  'get-small': (size) => `get ${size}`,
};

function describe({ work, files, bytes }: WorkResult): string {
  const each = `${String(bytes / files / 1024)} KiB`;
  return WORK_NAMES[work](work.endsWith('-small') ? `${files.toLocaleString('en-US')} × ${each}` : binary(bytes));
}

/** "1 GiB", "64 MiB", as the option is written. */
function binary(bytes: number): string {
  if (bytes % 2 ** 30 === 0) return `${String(bytes / 2 ** 30)} GiB`;
  return bytes % MIB === 0 ? `${String(bytes / MIB)} MiB` : formatBytes(bytes);
}

function listingSheet(listings: readonly Listing[]): Sheet {
  return {
    title: 'Listing a folder of 10,000 entries (medians)',
    heading: ['system', 'what', 'entries', 'ms'],
    align: ['left', 'left', ...numbers(2)],
    rows: listings.map(({ system, what, entries, ms }) => [
      system,
      what,
      entries.toLocaleString('en-US'),
      ms.toFixed(ms < 10 ? 1 : 0),
    ]),
  };
}

function rangeSheet(range: RangeResult): Sheet {
  return {
    title: 'A range of 64 KiB from the middle of the big file (medians)',
    heading: ['what', 'figure'],
    align: ['left', 'right'],
    rows: [
      ['`shoal cat --offset --length`, its start included', `${range.commandMs.toFixed(0)} ms`],
      ['over the control socket', `${range.socketMs.toFixed(1)} ms`],
      ['moved between peers for it', `${(range.movedBytes / 1024).toFixed(0)} KiB`],
      ['first bytes of a stream of the whole file', `${range.firstByteMs.toFixed(1)} ms`],
    ],
  };
}

/** The weights stand beside the costs, so that everybody can check the sum. */
function floorSheet({ cost, weights, sums }: Floor): Sheet {
  const names = Object.keys(PRIMITIVES) as Primitive[];
  const rows = names.map((name) => [
    PRIMITIVES[name],
    cost[name].toFixed(3),
    ...FLOOR_WORKS.map((work) => weights[work][name]?.toFixed(2) ?? NONE),
  ]);
  const sum = ['floor: the sum of cost × weight', '', ...FLOOR_WORKS.map((work) => sums[work].toFixed(2))];
  return {
    title: 'The floor of this machine (weight: bytes through the primitive for one byte of the file)',
    heading: ['primitive', 'CPU-s/GiB', 'weight in put', 'in get', 'in get, two dead'],
    align: ['left', ...numbers(4)],
    rows: [...rows, sum],
  };
}

function numbers(count: number): 'right'[] {
  return Array.from({ length: count }, () => 'right');
}
