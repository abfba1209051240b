import { closeSync, openSync, readSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ScrubDone } from '../../src/gateways/http/scrub-api.js';
import { assert } from '../../src/errors.js';
import { HOME } from '../../src/home.js';
import { AlignedMemory, DIRECT_FLAG } from '../../src/store/aligned-memory.js';
import { flipBit } from '../../test/planet/damage.js';
import { runCommand } from '../measure/command.js';
import { settleDisk } from '../measure/conditions.js';
import { measure, type Use } from '../measure/use.js';
import type { BenchNetwork } from '../network.js';
import { quiet } from '../phases/quiet.js';
import type { Stage } from '../phases/stage.js';
import { timeoutFor } from '../phases/work.js';
import { lastLine } from './last-line.js';
import type { DiskRead, Healed, ScrubResult } from './result.js';

/** Chunk files that something is done to: enough for a mean, and few against all that a scrub reads. */
const DAMAGED_FILES = 8;

/** `shoal scrub --now` at the source peer: of a sound store, beside reading its files; with rot in it; with files gone. */
export async function measureScrub(stage: Stage, network: BenchNetwork): Promise<ScrubResult> {
  if (!(await quiet(network, stage.signal)))
    stage.remark('scrub: the peers were still busy with something else when it began.');
  const folder = join(network.source.home, HOME.chunks, 'chunks');
  const files = await filesIn(folder);
  const sound = await scrub(stage, network);
  const { chunks, bytes, healedChunks } = sound.done.totals;
  assert(healedChunks === 0, 'a sound store needs no healing');
  const disk = await readAll(files);
  const some = files.slice(0, DAMAGED_FILES);
  for (const path of some) await flipBit(path, Math.floor((await stat(path)).size / 2), 0);
  const rotten = healedBy(await scrub(stage, network));
  for (const path of some) await rm(path);
  const gone = await scrub(stage, network);
  return {
    scrub: { ...sound.use, chunks, bytes },
    disk,
    segments: rotten,
    chunks: { ...healedBy(gone), count: gone.done.totals.healedChunks },
  };
}

interface Scrubbed {
  readonly done: ScrubDone;
  readonly use: Use;
}

async function scrub(stage: Stage, network: BenchNetwork): Promise<Scrubbed> {
  let stdout = Buffer.alloc(0);
  const use = await measure(
    () => network.cpuSeconds(),
    async () => {
      const command = network.command(['scrub', '--now', '--json'], timeoutFor(2 * stage.options.bytes, 1));
      const ended = await runCommand(command, stage.signal);
      stdout = Buffer.from(ended.stdout);
      return ended;
    },
  );
  const done = lastLine(stdout) as ScrubDone;
  if (done.damaged > 0) stage.remark(`scrub: ${String(done.damaged)} damaged chunks could not be mended.`);
  return { done, use };
}

function healedBy({ done: { totals } }: Scrubbed): Healed {
  const { healedSegments, healedBytes, movedBytes } = totals;
  return { count: healedSegments, bytes: healedBytes, movedBytes };
}

/** The largest first: those of whole chunks. */
async function filesIn(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = names.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const sized = await Promise.all(paths.map(async (path) => ({ path, bytes: (await stat(path)).size })));
  return sized.sort((a, b) => b.bytes - a.bytes).map(({ path }) => path);
}

/** By synchronous calls, one after the other: what the disk gives to one reader, and little else. */
async function readAll(paths: readonly string[]): Promise<DiskRead> {
  await settleDisk();
  const slab = new AlignedMemory().take();
  const before = process.cpuUsage();
  const started = performance.now();
  let bytes = 0;
  for (const path of paths) {
    const file = openDirect(path);
    try {
      for (let read = -1; read !== 0; bytes += read) read = readSync(file, slab, 0, slab.length, null);
    } finally {
      closeSync(file);
    }
  }
  const { user, system } = process.cpuUsage(before);
  return { bytes, seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6 };
}

function openDirect(path: string): number {
  try {
    return openSync(path, DIRECT_FLAG);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EINVAL') return openSync(path, 'r');
    throw error;
  }
}
