import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ControlClient } from '../../src/cli/control-client.js';
import { DEAD_PEERS } from '../floor/weights.js';
import { runCommand } from '../measure/command.js';
import { measure } from '../measure/use.js';
import type { BenchNetwork } from '../network.js';
import { quiet } from './quiet.js';
import type { Original, Stage } from './stage.js';
import { timeoutFor, type WorkName, type WorkResult } from './work.js';

/** `shoal put` of an original into the root. */
export function put(stage: Stage, network: BenchNetwork, original: Original, work: WorkName): Promise<WorkResult> {
  return run(stage, network, { original, work, words: ['put', original.path, '/'] });
}

/** `shoal get` of it; what came back is compared, and removed. */
export async function get(
  stage: Stage,
  network: BenchNetwork,
  original: Original,
  work: WorkName,
): Promise<WorkResult> {
  const copy = stage.workshop.path(`back-${basename(original.path)}`);
  const remote = remotePath(original);
  const result = await run(stage, network, { original, work, words: ['get', remote, copy] });
  await original.compare(copy);
  await rm(copy, { recursive: true });
  return result;
}

/** kill -9 of two peers, of those that hold data chunks if possible, so that chunks must be rebuilt. */
export async function killDataHolders(stage: Stage, network: BenchNetwork, original: Original): Promise<void> {
  await using client = new ControlClient(network.source.home, { signal: stage.signal });
  const { k, stripes } = await client.where(remotePath(original));
  const holders = (stripes[0]?.chunks ?? []).filter(({ index }) => index < k).map(({ peer }) => peer ?? '');
  await network.killPeers(DEAD_PEERS, new Set(holders));
}

export function remotePath(original: Original): string {
  return join('/', basename(original.path));
}

interface Errand {
  readonly original: Original;
  readonly work: WorkName;
  readonly words: readonly string[];
}

async function run(stage: Stage, network: BenchNetwork, { original, work, words }: Errand): Promise<WorkResult> {
  const { files, bytes } = original;
  await network.forgetSourcePeak();
  if (!(await quiet(network, stage.signal)))
    stage.remark(`${work}: the peers were still busy with something else when it began.`);
  const command = network.command(words, timeoutFor(bytes, files));
  const use = await measure(
    () => network.cpuSeconds(),
    () => runCommand(command, stage.signal),
  );
  return { system: 'shoal', work, files, bytes, ...use, sourcePeakBytes: network.sourcePeakBytes() };
}
