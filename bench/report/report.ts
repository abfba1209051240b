import { writeFile } from 'node:fs/promises';
import type { Runtime } from '../../src/cli/runtime.js';
import { table } from '../../src/cli/table.js';
import { formatBytes } from '../../src/cli/units.js';
import { wrapError } from '../../src/errors.js';
import type { BenchOptions } from '../options.js';
import type { Findings } from '../phases/stage.js';
import { figuresOf } from './figures.js';
import { thisMachine, type Machine } from './machine.js';
import { drawMarkdown, writeSection } from './markdown.js';
import { sheetsOf, type Sheet } from './sheets.js';

/** Raised when a field changes its meaning. */
const JSON_VERSION = 2;

const CONDITIONS = [
  'Before anything was measured, the floor too, a scratch file was written and deleted, because a virtual machine pays for',
  'memory that it uses for the first time. The rows called cold are the first work of freshly started peers; all others',
  'came after it. Every row began when all peers were quiet and `sync` had ended.',
].join(' ');

/** Shows the findings, and writes them where the options say. */
export async function report(findings: Findings, options: BenchOptions, runtime: Runtime): Promise<void> {
  const machine = thisMachine();
  const sheets = sheetsOf(findings);
  const remarks = [describeMachine(machine), ...remarksOf(findings, options)];
  const shown = options.json === '-' ? runtime.stderr : runtime.stdout;
  shown.write(`\n${[...sheets.map(drawText), ...remarks].join('\n\n')}\n`);
  const json = `${JSON.stringify(toJson(findings, options, machine), undefined, 2)}\n`;
  if (options.json === '-') runtime.stdout.write(json);
  else if (options.json !== undefined) await write(options.json, json);
  if (options.markdown !== undefined) {
    await writeSection(options.markdown, [...remarks, ...sheets.map(drawMarkdown)].join('\n\n'));
  }
}

function drawText({ title, heading, rows, align }: Sheet): string {
  return `${title}\n\n${table(heading, rows, [...align])}`;
}

function describeMachine({ cpu, cores, memoryBytes, system, node, date }: Machine): string {
  return `Measured on ${date}: ${cpu}, ${String(cores)} cores, ${formatBytes(memoryBytes)} of memory, ${system}, Node.js ${node}; everything on this machine.`;
}

function remarksOf({ skipped, remarks, works }: Findings, { profile }: BenchOptions): string[] {
  const profiled = 'Two peers ran under the profiler, which slowed them: do not compare these figures with others.';
  const isShoal = works.some(({ system }) => system === 'shoal');
  return [...(isShoal ? [CONDITIONS] : []), ...skipped, ...remarks, ...(profile === undefined ? [] : [profiled])];
}

/** Bytes, seconds and CPU-seconds; what is derived from them stands beside them. */
function toJson(findings: Findings, options: BenchOptions, machine: Machine): unknown {
  const { floor, range, works, listings, repair, scrub, catalog, skipped, remarks } = findings;
  return {
    version: JSON_VERSION,
    machine,
    bytes: options.bytes,
    files: options.files,
    entries: options.entries,
    documents: options.documents,
    profiled: options.profile !== undefined,
    floor,
    works: works.map((result) => ({ ...result, ...figuresOf(result, floor) })),
    listings,
    range,
    repair,
    scrub,
    catalog,
    skipped,
    remarks,
  };
}

async function write(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text);
  } catch (error) {
    throw wrapError(error, `Writing ${path}`);
  }
}
