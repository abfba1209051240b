import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import { getFiles, type GetReport } from '../get-files.js';
import { planGet, type GetPlan, type RemoteTree } from '../get-plan.js';
import { Invocation } from '../invocation.js';
import { writeOut } from '../output.js';
import { checkPlaces, placeAll } from '../place.js';
import { printable } from '../printable.js';
import { openProgress } from '../progress.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';
import { Staging } from '../staging.js';
import { count, formatBytes, formatSeconds, formatSpeed } from '../units.js';

interface GetOptions {
  readonly version?: string;
  readonly force?: true;
}

const AFTER = `
LOCAL is a file, a folder, . for the current folder, or - for standard output.
As with cp -r, it goes into LOCAL when that is a folder or ends in "/", and becomes LOCAL otherwise.
Nothing appears before it is whole; Ctrl-C leaves nothing behind.

Examples:
  shoal get /photos/cat.jpg .
  shoal get /photos ~/pictures/
  shoal get /notes.txt old-notes.txt --version 0123456789abcdef0123456789abcdef
`;

export function defineGet(command: Command, runtime: Runtime): void {
  command
    .argument('<paths...>', '/remote... LOCAL')
    .usage('[options] /remote... LOCAL')
    .option('--version <id>', 'an earlier version of a file (see `shoal versions`)')
    .option('-f, --force', 'replace local files that are there already')
    .addHelpText('after', AFTER)
    .action(async (paths: string[], options: GetOptions, invoked: Command) => {
      const local = paths.at(-1);
      const remotes = paths.slice(0, -1).map((text) => parseRemotePath(text).path);
      if (local === undefined || remotes.length === 0) {
        throw new StorageError('INVALID_ARGUMENT', 'Give what to fetch and where to put it: shoal get /remote LOCAL.');
      }
      await using invocation = new Invocation(invoked, runtime);
      if (local === '-') await toOutput(invocation, remotes, options.version);
      else await toDisk(invocation, remotes, local, options);
    });
}

async function toOutput(
  { client, runtime }: Invocation,
  remotes: readonly string[],
  version: string | undefined,
): Promise<void> {
  for (const path of remotes) await writeOut(client.download(path, { version }), runtime);
}

async function toDisk(
  invocation: Invocation,
  remotes: readonly string[],
  local: string,
  options: GetOptions,
): Promise<void> {
  const trees: RemoteTree[] = [];
  for (const path of remotes) trees.push(await readTree(invocation, path, options.version));
  const plan = planGet(trees, local);
  const force = options.force === true;
  checkPlaces(plan, force);
  const started = performance.now();
  const report = await fetchAndPlace(invocation, plan, options.version, force);
  const seconds = (performance.now() - started) / 1000;
  show(invocation, plan, report, seconds);
}

async function readTree({ client }: Invocation, path: string, version: string | undefined): Promise<RemoteTree> {
  const root = path === '/' ? ({ path, type: 'folder' } as const) : await client.stat(path);
  if (root.type === 'file') return { root, entries: [root] };
  if (version !== undefined) {
    throw new StorageError('INVALID_ARGUMENT', `${path} is a folder: --version goes with one file.`);
  }
  return { root, entries: await client.list(path, { recursive: true }) };
}

async function fetchAndPlace(
  invocation: Invocation,
  plan: GetPlan,
  version: string | undefined,
  force: boolean,
): Promise<GetReport> {
  const progress = await openProgress(invocation, { label: 'get', lengthKnown: true });
  try {
    await using staging = Staging.open(plan.parent);
    const files = plan.targets.flatMap((target) => target.files);
    const report = await getFiles(invocation.client, files, { staging, version, progress });
    invocation.runtime.signal.throwIfAborted();
    placeAll(plan, report.fetched, staging, force);
    return report;
  } finally {
    progress.stop();
  }
}

function show(invocation: Invocation, plan: GetPlan, { fetched, failed, bytes }: GetReport, seconds: number): void {
  const [first] = failed;
  const [target] = plan.targets;
  const single = plan.targets.length === 1 && target?.type === 'file';
  if (single && first !== undefined) throw new StorageError(first.code, first.message);
  for (const { path, message } of failed) invocation.note(`Not fetched: ${printable(path)}. ${printable(message)}`);
  const places = plan.targets.map(({ place }) => place);
  const summary = `${formatBytes(bytes)} in ${formatSeconds(seconds)} (${formatSpeed(bytes, seconds)}).`;
  if (single) {
    invocation.result(
      { path: target.files[0]?.remote, local: target.place, bytes, seconds },
      () => `${printable(target.place)}: ${summary}`,
    );
  } else {
    invocation.result(
      { places, files: fetched.size, failed, bytes, seconds },
      () => `${count(fetched.size, 'file')}, ${summary}`,
    );
  }
  if (first === undefined) return;
  throw new StorageError(
    first.code,
    `${count(failed.length, 'file')} could not be fetched: ${printable(first.message)}`,
  );
}
