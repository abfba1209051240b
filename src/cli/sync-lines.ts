import type { StatusReply } from '../gateways/http/api.js';
import { printable } from './printable.js';
import { count } from './units.js';

type Sync = StatusReply['sync'];

/** How the catalog stands with the backup hosts: one line for each, and one for each database that was set aside. */
export function syncLines({ error, streams, damaged }: Sync): string[] {
  if (error !== null) return [`Backup   not known: ${printable(error)}`];
  const hosts = new Map<string, Sync['streams'][number][]>();
  for (const stream of streams) hosts.set(stream.host, [...(hosts.get(stream.host) ?? []), stream]);
  const lines = [...hosts.values()].map((ofHost) => hostLine(ofHost));
  if (lines.length === 0) lines.push('Backup   no backup host: the catalog lies on this peer alone');
  for (const { name, movedTo } of damaged) {
    lines.push(`Damaged  the database ${name} was set aside as ${printable(movedTo)}; backup hosts fill it again`);
  }
  return lines;
}

function hostLine(streams: readonly Sync['streams'][number][]): string {
  const name = printable(streams[0]?.hostName ?? '');
  const failing = streams.find(({ phase }) => phase === 'failing');
  if (failing !== undefined) {
    const databases = new Set(streams.filter(({ phase }) => phase === 'failing').map(({ database }) => database));
    return `Backup   ${name}: ${count(databases.size, 'database')} wait${databases.size === 1 ? 's' : ''}: ${printable(failing.error ?? 'no reason given')}`;
  }
  const refused = streams.reduce((sum, stream) => sum + stream.refused, 0);
  const rest = refused === 0 ? '' : `, ${count(refused, 'document')} refused`;
  if (streams.every(({ phase }) => phase === 'waiting')) return `Backup   ${name}: all copied${rest}`;
  const pending = streams.reduce((sum, stream) => sum + (stream.pending ?? 0), 0);
  return `Backup   ${name}: copying, ${count(pending, 'change')} at most to go${rest}`;
}
