import { statSync, type BigIntStats } from 'node:fs';
import { basename, resolve } from 'node:path';
import { wrapError } from '../errors.js';
import { destinationOf, type Target } from './destination.js';
import { describeFile, kindOf, walk, type Failure, type Found, type LocalFile } from './walk.js';

/** One LOCAL of a put, and where it goes. */
export type PutRoot =
  | { readonly kind: 'file'; readonly file: LocalFile }
  | { readonly kind: 'folder'; readonly local: string; readonly path: string }
  /** Standard input, or a pipe that was named. */
  | { readonly kind: 'stream'; readonly local: string; readonly path: string };

export interface PutPlan {
  readonly roots: readonly PutRoot[];
  /** Named, but not to be had; the others are stored all the same. */
  readonly failed: readonly Failure[];
}

/**
 * Looks at what was named. A link that was named is followed, as its name stands for what it leads to; links met in a
 * folder are not.
 *
 * @throws StorageError where the target cannot take the sources, before anything is stored
 */
export function planPut(locals: readonly string[], target: Target): PutPlan {
  const roots: PutRoot[] = [];
  const failed: Failure[] = [];
  const several = locals.length > 1;
  for (const named of locals) {
    if (named === '-') {
      roots.push({ kind: 'stream', local: '-', path: destinationOf({ name: '', type: 'stream' }, target, several) });
      continue;
    }
    const local = resolve(named);
    let stats: BigIntStats;
    try {
      stats = statSync(local, { bigint: true });
    } catch (error) {
      const { code, message } = wrapError(error, `Reading ${named}`);
      failed.push({ local, path: target.path, code, message });
      continue;
    }
    const type = stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : 'stream';
    const path = destinationOf({ name: meansContents(named) ? '' : basename(local), type }, target, several);
    if (stats.isFile()) roots.push({ kind: 'file', file: describeFile({ local, path }, stats) });
    else if (stats.isDirectory()) roots.push({ kind: 'folder', local, path });
    else if (stats.isFIFO() || stats.isCharacterDevice()) roots.push({ kind: 'stream', local, path });
    else failed.push(unfit(local, path, kindOf(stats)));
  }
  return { roots, failed };
}

/** Everything below the roots but the streams, in order. */
export function* findAll(roots: readonly PutRoot[]): Generator<Found> {
  for (const root of roots) {
    if (root.kind === 'file') yield { kind: 'file', ...root.file };
    else if (root.kind === 'folder') yield* walk(root.local, root.path);
  }
}

/** "photos/." and "." mean what is in the folder, as with cp. */
function meansContents(named: string): boolean {
  return named === '.' || named.endsWith('/.') || basename(resolve(named)) === '';
}

function unfit(local: string, path: string, kind: string): Failure {
  return {
    local,
    path,
    code: 'INVALID_ARGUMENT',
    message: `${local} is a ${kind}: only files, folders and pipes are stored.`,
  };
}
