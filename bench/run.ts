import { count, formatBytes } from '../src/cli/units.js';
import { DEFAULT_PEERS } from '../src/cli/devnet/layout.js';
import type { Runtime } from '../src/cli/runtime.js';
import { schemeFor } from '../src/peers/scheme.js';
import { measureCatalog } from './catalog/measure-catalog.js';
import { runFloor } from './floor/run-floor.js';
import { measureGateways } from './gateways/gateways.js';
import { measureRepair } from './healing/repair.js';
import { measureScrub } from './healing/scrub.js';
import { SMALL_FILE_BYTES } from './material.js';
import { runCommand } from './measure/command.js';
import { BenchNetwork } from './network.js';
import { touchMemory } from './measure/conditions.js';
import type { BenchOptions, Part } from './options.js';
import { measureOther, type OtherSystem } from './others/other-system.js';
import { missingPrograms } from './others/programs.js';
import { restic } from './others/restic.js';
import { scp } from './others/scp.js';
import { HEALED_BYTES, Originals } from './phases/originals.js';
import { measureRange } from './phases/range.js';
import { get, killDataHolders, put } from './phases/shoal.js';
import type { Findings, Stage } from './phases/stage.js';
import { timeoutFor } from './phases/work.js';
import { Workshop } from './workshop.js';

/** The parts that need the big file in the network. */
const BIG_FILE_PARTS: readonly Part[] = ['put', 'get', 'range', 'degraded'];
const OTHERS: readonly (OtherSystem & { readonly system: 'restic' | 'scp' })[] = [
  { ...restic, system: 'restic' },
  { ...scp, system: 'scp' },
];

/** Measures what was asked for, part after part; nothing is left of it but the findings. */
export async function runBench(options: BenchOptions, runtime: Runtime): Promise<Findings> {
  const { signal } = runtime;
  const isHealed = options.parts.has('repair') || options.parts.has('scrub');
  await using workshop = await Workshop.open(
    Math.max(options.bytes, options.files * SMALL_FILE_BYTES),
    isHealed ? Math.min(HEALED_BYTES, options.bytes) : 0,
  );
  const originals = new Originals(workshop, options, signal);
  const findings: Findings = { works: [], listings: [], skipped: [], remarks: [] };
  const stage: Stage = {
    options,
    workshop,
    signal,
    say: (text) => runtime.stderr.write(`${text}\n`),
    bigFile: () => originals.bigFile(),
    smallFiles: () => originals.smallFiles(),
    warmUpFile: () => originals.warmUpFile(),
    healedFile: () => originals.healedFile(),
    remark: (text) => findings.remarks.push(text),
    touchMemory: () => touchMemory(workshop.path('scratch'), options.bytes, signal),
  };
  if (options.parts.has('floor')) {
    stage.say('The floor of this machine');
    const scheme = schemeFor(DEFAULT_PEERS);
    await stage.touchMemory();
    findings.floor = await runFloor({ folder: workshop.folder, scheme, bytes: options.bytes }, signal);
  }
  await runShoal(stage, findings, runtime);
  if (options.parts.has('catalog')) findings.catalog = await measureCatalog(stage);
  for (const other of OTHERS) if (options.parts.has(other.system)) await runOther(stage, findings, other);
  return findings;
}

async function runShoal(stage: Stage, findings: Findings, runtime: Runtime): Promise<void> {
  const { parts, profile } = stage.options;
  const big = BIG_FILE_PARTS.some((part) => parts.has(part));
  const gateways = parts.has('http') || parts.has('sftp');
  const healing = parts.has('repair') || parts.has('scrub');
  if (!big && !gateways && !healing && !parts.has('small')) return;
  await stage.touchMemory();
  stage.say(`${String(DEFAULT_PEERS)} peers start`);
  await using network = await BenchNetwork.open(stage.workshop.folder, runtime, profile);
  await warmUp(stage, findings, network);
  if (big) await runBigFile(stage, findings, network);
  if (parts.has('small')) await runSmallFiles(stage, findings, network);
  if (gateways) await measureGateways(stage, network, findings);
  if (healing) await runHealing(stage, findings, network);
  if (parts.has('degraded')) await runDegraded(stage, findings, network);
}

/** Six fresh processes have code to compile and each other to find; what that takes is shown, and is in no other figure. */
async function warmUp(stage: Stage, findings: Findings, network: BenchNetwork): Promise<void> {
  const original = await stage.warmUpFile();
  stage.say(`${formatBytes(original.bytes)} to warm up`);
  findings.works.push(await put(stage, network, original, 'cold-put'));
  findings.works.push(await get(stage, network, original, 'cold-get'));
}

async function runBigFile(stage: Stage, findings: Findings, network: BenchNetwork): Promise<void> {
  const { parts } = stage.options;
  const original = await stage.bigFile();
  const size = formatBytes(original.bytes);
  stage.say(`put ${size}`);
  findings.works.push(await put(stage, network, original, 'put'));
  if (parts.has('get')) {
    stage.say(`get ${size}`);
    findings.works.push(await get(stage, network, original, 'get'));
  }
  if (parts.has('range')) {
    stage.say('ranges of 64 KiB');
    findings.range = await measureRange(stage, network, original);
  }
}

async function runSmallFiles(stage: Stage, findings: Findings, network: BenchNetwork): Promise<void> {
  const original = await stage.smallFiles();
  stage.say(`put and get ${count(original.files, 'small file')}`);
  findings.works.push(await put(stage, network, original, 'put-small'));
  findings.works.push(await get(stage, network, original, 'get-small'));
}

async function runHealing(stage: Stage, findings: Findings, network: BenchNetwork): Promise<void> {
  const { parts } = stage.options;
  const { path, bytes } = await stage.healedFile();
  const size = formatBytes(bytes);
  if (parts.has('repair')) {
    stage.say(`repair of ${size} that were put with a peer down`);
    findings.repair = await measureRepair(stage, network);
  } else {
    await runCommand(network.command(['put', path, '/'], timeoutFor(bytes, 1)), stage.signal);
  }
  if (!parts.has('scrub')) return;
  stage.say('scrub of one peer: sound, with rot, with chunks gone');
  findings.scrub = await measureScrub(stage, network);
}

async function runDegraded(stage: Stage, findings: Findings, network: BenchNetwork): Promise<void> {
  const original = await stage.bigFile();
  stage.say(`get ${formatBytes(original.bytes)}, two peers killed`);
  await killDataHolders(stage, network, original);
  findings.works.push(await get(stage, network, original, 'degraded'));
}

async function runOther(stage: Stage, findings: Findings, other: OtherSystem): Promise<void> {
  const missing = missingPrograms(...other.needs);
  if (missing.length > 0) {
    findings.skipped.push(`${other.system}: not measured, because ${missing.join(', ')} is not installed.`);
    return;
  }
  await stage.touchMemory();
  stage.say(`the same by ${other.system}`);
  findings.works.push(...(await measureOther(stage, other)));
}
