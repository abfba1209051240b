import type { SafetyReply } from '../gateways/http/safety-api.js';
import { printable } from './printable.js';
import { count, formatBytes, formatSeconds } from './units.js';

/** How safe the files are, a line for each thing to know; `nowMs` for how long ago something was. */
export function safetyLines(safety: SafetyReply, nowMs: number): string[] {
  const { files, repairs } = safety;
  if (safety.stripes === 0 && files.lost.files === 0) return [];
  const lines = [`Files    ${filesSentence(files)}`, ...machineLines(safety), ...zoneLines(safety)];
  if (repairs.stripes > 0) {
    const left = repairs.secondsLeft === null ? '' : `, about ${formatSeconds(repairs.secondsLeft)}`;
    const what = `${count(repairs.chunks, 'chunk')} of ${count(repairs.stripes, 'stripe')}`;
    lines.push(`Repair   ${what} to be rebuilt or moved, which moves ${formatBytes(repairs.bytes)}${left}`);
  }
  lines.push(`Known    ${comparedSentence(safety, nowMs)}`);
  return lines;
}

/**
 * Those that are lost or at risk, and how many more there are.
 *
 * @param isLong as many were asked for as are ever named: nothing names more
 */
export function worstLines({ worst, files }: Pick<SafetyReply, 'worst' | 'files'>, isLong: boolean): string[] {
  const lines = worst.map(({ path, bytes, state }) => {
    return `${state === 'lost' ? 'Lost   ' : 'At risk'}  ${printable(path)}  (${formatBytes(bytes)})`;
  });
  const more = files.lost.files + files.atRisk.files - worst.length;
  if (more <= 0 || worst.length === 0) return lines;
  return [...lines, `         and ${count(more, 'file')} more${isLong ? '' : ': shoal status --files'}`];
}

const STATES = [
  ['healthy', 'healthy'],
  ['degraded', 'degraded'],
  ['atRisk', 'at risk'],
  ['lost', 'lost'],
] as const;

function filesSentence(files: SafetyReply['files']): string {
  const parts = STATES.flatMap(([state, words]) => {
    const { files: amount, bytes } = files[state];
    return amount === 0 ? [] : `${count(amount, 'file')} ${words} (${formatBytes(bytes)})`;
  });
  const waiting = files.waiting.files;
  return `${parts.join(', ')}${waiting === 0 ? '' : `; ${count(waiting, 'file')} ${waiting === 1 ? 'waits' : 'wait'} for repair`}`;
}

function machineLines({ machines }: SafetyReply): string[] {
  const named = (wanted: (machine: SafetyReply['machines'][number]) => boolean): string =>
    machines
      .filter(wanted)
      .map(({ name }) => printable(name))
      .join(', ');
  const lines: string[] = [];
  const needed = named(({ mayFail }) => mayFail === false);
  if (needed !== '') lines.push(`Machines ${needed} may not fail now`);
  const gone = named(({ standing }) => standing === 'gone');
  if (gone !== '')
    lines.push(`Gone     ${gone}: what lay there is rebuilt elsewhere; shoal peer remove, or start it again`);
  const distrusted = named(({ standing }) => standing === 'distrusted');
  if (distrusted !== '') lines.push(`Distrust ${distrusted}: failed audits, see shoal audit`);
  for (const { name, denied } of machines) {
    if (denied > 0) lines.push(`Missing  ${printable(name)} has lost ${count(denied, 'chunk')}, by its own word`);
  }
  return lines;
}

function zoneLines({ zones, zonesMayFail }: SafetyReply): string[] {
  if (zones.length < 2 || zonesMayFail === null) return [];
  const needed = zones.filter(({ mayFail }) => !mayFail).map(({ zone }) => printable(zone));
  if (needed.length === 0)
    return [
      `Zones    any ${zonesMayFail === 1 ? 'one' : String(zonesMayFail)} of ${String(zones.length)} may fail whole`,
    ];
  return [`Zones    ${needed.length === zones.length ? 'none may' : `${needed.join(', ')} may not`} fail whole`];
}

/** How old the knowledge is: what peers hold is not asked for anew for each status. */
function comparedSentence({ compared }: SafetyReply, nowMs: number): string {
  if (compared === null)
    return 'by the records alone: what the machines hold was not compared yet; shoal status --check';
  const seconds = Math.max(0, (nowMs - Date.parse(compared)) / 1000);
  return `what the machines hold was compared with the records ${seconds < 60 ? 'just now' : `${formatSeconds(seconds)} ago`}`;
}
