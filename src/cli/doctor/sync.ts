import type { StatusReply } from '../../gateways/http/api.js';
import { printable } from '../printable.js';
import { are, count } from '../units.js';
import { ok, problem, warning, type Finding } from './finding.js';

const NAME = 'sync';
/** Without a success for so long, whatever was changed meanwhile lies on this peer alone. */
const LATE_MS = 15 * 60 * 1000;

/** How the catalog stands with the backup hosts. */
export function checkSyncing({ error, streams, damaged }: StatusReply['sync'], nowMs: number): readonly Finding[] {
  if (error !== null) return [problem(NAME, printable(error), 'Read the log of PouchDB hosting, and start it again.')];
  const findings = damaged.map(({ name, movedTo }) =>
    warning(
      'databases',
      `The database ${name} was damaged and set aside as ${printable(movedTo)}.`,
      'Backup hosts fill it again. Look for a failing disk (`dmesg`, `smartctl`), then remove what was set aside.',
    ),
  );
  if (streams.length === 0) {
    const found = 'No backup host: the catalog lies on this peer alone.';
    return [...findings, warning(NAME, found, 'Make a peer one: `shoal peer set --backup on` there.')];
  }
  const hosts = groupByHost(streams);
  for (const [host, ofHost] of hosts) {
    const failing = ofHost.find(({ phase }) => phase === 'failing');
    if (failing !== undefined) findings.push(judge(printable(host), failing, nowMs));
  }
  if (findings.length > 0) return findings;
  const pending = streams.reduce((sum, stream) => sum + (stream.pending ?? 0), 0);
  const found = pending === 0 ? 'All is copied' : `${count(pending, 'change')} at most ${are(pending)} being copied`;
  return [ok(NAME, `${found}; backup hosts: ${[...hosts.keys()].map(printable).join(', ')}.`)];
}

type Stream = StatusReply['sync']['streams'][number];

function judge(host: string, { error, lastSuccessMs }: Stream, nowMs: number): Finding {
  const isLate = lastSuccessMs === null || nowMs - lastSuccessMs > LATE_MS;
  const since = lastSuccessMs === null ? 'not yet' : `last at ${new Date(lastSuccessMs).toISOString()}`;
  const found = `Copying with the backup host ${host} fails (it worked ${since}): ${printable(error ?? 'no reason given')}`;
  const remedy = `See that ${host} runs and has room, and that its clock is right; copying goes on by itself.`;
  return (isLate ? problem : warning)(NAME, found, remedy);
}

function groupByHost(streams: readonly Stream[]): Map<string, Stream[]> {
  const hosts = new Map<string, Stream[]>();
  for (const stream of streams) hosts.set(stream.hostName, [...(hosts.get(stream.hostName) ?? []), stream]);
  return hosts;
}
