import type { Entry } from '../../catalog/catalog.js';

/** What a look at a catalog saw: a stamp of each entry, which differs when the entry does. */
export type Seen = ReadonlyMap<string, string>;

export function see(entries: readonly Entry[]): Seen {
  return new Map(
    entries.map(({ path, type, version, modifiedMs, mode }) => [
      path,
      version ?? `${type} ${String(modifiedMs)} ${String(mode)}`,
    ]),
  );
}

/** Above this many, a page is told that everything may have changed. */
const MOST = 20;

/** The folders in which something came, went or changed; "/" for all, where they are many. */
export function changedFolders(before: Seen, after: Seen): string[] {
  const folders = new Set<string>();
  const add = (path: string): void => void folders.add(path.slice(0, path.lastIndexOf('/')) || '/');
  for (const [path, stamp] of after) if (before.get(path) !== stamp) add(path);
  for (const path of before.keys()) if (!after.has(path)) add(path);
  return folders.size > MOST ? ['/'] : [...folders];
}
