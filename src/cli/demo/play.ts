import { mkdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { StorageError } from '../../errors.js';
import type { WhereReply } from '../../gateways/http/api.js';
import { peerTable } from '../commands/devnet.js';
import { ControlClient } from '../control-client.js';
import type { Devnet } from '../devnet/devnet.js';
import type { DevnetPeer } from '../devnet/layout.js';
import { runProgram } from '../program.js';
import type { Runtime } from '../runtime.js';
import { table } from '../table.js';
import { count, formatBytes, formatSeconds, formatSpeed } from '../units.js';
import { copyProject, filesBelow, fittingBytes, generateFile, hashFile, hashFolder } from './material.js';
import type { DemoOptions } from './options.js';
import type { Stage } from './stage.js';

/** How many peers are killed: as many as the policy for six peers says may be lost. */
const KILLED = 2;

interface Step {
  readonly what: string;
  readonly bytes: number;
  readonly seconds: number;
}

/** Everything that is shown, in order. @throws StorageError CORRUPT when what came back differs */
export async function play(options: DemoOptions, stage: Stage, runtime: Runtime): Promise<Devnet> {
  const say = (text: string): void => {
    runtime.stdout.write(`${text}\n`);
  };
  say('Six peers on this machine, each a process of its own with its own disk folder and certificate:\n');
  const devnet = await stage.raise(runtime);
  say(`${peerTable(await devnet.status())}\n`);

  const file = await prepareFile(options, stage, runtime, say);
  const project = join(stage.folder, 'project');
  await copyProject(project);
  const names = await filesBelow(project);
  const fileBytes = (await stat(file)).size;
  const projectBytes = await sumBytes(project, names);
  const many = count(names.length, 'small file');

  const shoal = commandRunner(devnet.peer(1), runtime, say);
  const remote = `/${basename(file)}`;
  const steps: Step[] = [];
  say(
    'Storing both from peer-1. Each stripe is sealed, coded into 4 + 2 chunks, and every peer gets one chunk of it:\n',
  );
  steps.push({ what: `put ${basename(file)}`, bytes: fileBytes, seconds: await shoal('put', file, '/') });
  steps.push({ what: `put ${many}`, bytes: projectBytes, seconds: await shoal('put', project, '/') });
  await shoal('where', remote);

  const victims = await chooseVictims(devnet, remote, runtime);
  say(
    `\nKilling ${victims.map(({ name }) => name).join(' and ')} (kill -9). Four of six are left, and any four chunks rebuild a stripe.\n`,
  );
  for (const victim of victims) await devnet.stop(victim, { kill: true });

  const back = join(stage.folder, 'back');
  await mkdir(back);
  steps.push({
    what: `get ${basename(file)}, two peers dead`,
    bytes: fileBytes,
    seconds: await shoal('get', remote, back),
  });
  steps.push({
    what: `get ${many}, two peers dead`,
    bytes: projectBytes,
    seconds: await shoal('get', '/project', back),
  });

  say('\nComparing what came back with what was stored, by SHA-256:\n');
  say(
    await compare(basename(file), hashFile(file, runtime.signal), hashFile(join(back, basename(file)), runtime.signal)),
  );
  say(await compare(many, hashFolder(project, runtime.signal), hashFolder(join(back, 'project'), runtime.signal)));
  say(`\n${stepTable(steps)}\n`);
  say(`Two of six machines are gone, and every byte came back.`);
  return devnet;
}

async function prepareFile(
  options: DemoOptions,
  stage: Stage,
  runtime: Runtime,
  say: (text: string) => void,
): Promise<string> {
  if (options.file !== undefined) return options.file;
  const bytes = await fittingBytes(stage.folder);
  const file = join(stage.folder, 'film.bin');
  say(`A file of ${formatBytes(bytes)} of random bytes, and the source of this project as many small ones.`);
  await generateFile(file, bytes, runtime.signal);
  return file;
}

/** Runs `shoal` commands as a person would, on one peer, in this process; resolves to the seconds they took. */
function commandRunner(
  peer: DevnetPeer,
  runtime: Runtime,
  say: (text: string) => void,
): (...words: string[]) => Promise<number> {
  const own: Runtime = { ...runtime, env: { ...runtime.env, SHOAL_HOME: peer.home } };
  return async (...words) => {
    say(`$ shoal ${words.join(' ')}`);
    const started = performance.now();
    await runProgram(words, own);
    runtime.signal.throwIfAborted();
    return (performance.now() - started) / 1000;
  };
}

/** Two peers that hold data chunks of the file, so that it must be rebuilt; never the source peer. */
async function chooseVictims(devnet: Devnet, remote: string, runtime: Runtime): Promise<DevnetPeer[]> {
  const source = devnet.peer(1);
  await using client = new ControlClient(source.home, { signal: runtime.signal });
  const holders = dataHolders(await client.where(remote));
  const others = devnet.layout.peers.filter((peer) => peer.id !== source.id);
  return others.sort((a, b) => Number(holders.has(b.id)) - Number(holders.has(a.id))).slice(0, KILLED);
}

function dataHolders({ k, stripes }: WhereReply): ReadonlySet<string> {
  const chunks = stripes[0]?.chunks ?? [];
  return new Set(chunks.filter((chunk) => chunk.index < k).map((chunk) => chunk.peer ?? ''));
}

async function compare(what: string, stored: Promise<string>, fetched: Promise<string>): Promise<string> {
  const [before, now] = await Promise.all([stored, fetched]);
  if (before === now) return `  ${now}  ${what}: the same`;
  throw new StorageError('CORRUPT', `${what} came back different: SHA-256 ${now} instead of ${before}.`);
}

async function sumBytes(folder: string, names: readonly string[]): Promise<number> {
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function stepTable(steps: readonly Step[]): string {
  const rows = steps.map(({ what, bytes, seconds }) => [
    what,
    formatBytes(bytes),
    formatSeconds(seconds),
    formatSpeed(bytes, seconds),
  ]);
  return table(['step', 'bytes', 'time', 'speed'], rows, ['left', 'right', 'right', 'right']);
}
