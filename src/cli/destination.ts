import { StorageError } from '../errors.js';
import { joinRemote, type RemotePath } from './remote-path.js';

/** What is to be stored: one LOCAL of `shoal put`, or one FROM of `shoal mv`. */
export interface Source {
  /** Its own name; empty for a stream, and for a folder whose contents are meant ("."). */
  readonly name: string;
  readonly type: 'file' | 'folder' | 'stream';
}

export interface Target extends RemotePath {
  /** What is there now. */
  readonly found: 'file' | 'folder' | undefined;
}

/**
 * Where one source goes, by the rules of `cp -r`: into a folder under its own name, otherwise to the target itself.
 *
 * @param several the source is one of many, so that the target must be a folder
 * @throws StorageError INVALID_ARGUMENT or CONFLICT where cp would refuse too
 */
export function destinationOf(source: Source, target: Target, several: boolean): string {
  if (target.found === 'file' && (several || target.folder || source.type === 'folder')) {
    throw new StorageError('CONFLICT', `${target.path} is a file, not a folder: choose another name.`);
  }
  if (several && target.found === undefined && !target.folder) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `${target.path} is not a folder yet: write "${target.path}/" to put several things into it.`,
    );
  }
  const into = target.found === 'folder' || (target.folder && (several || source.type !== 'folder'));
  if (!into || (source.type === 'folder' && source.name === '')) return target.path;
  if (source.name === '') {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `Standard input has no name: give one after the folder, as in "${joinRemote(target.path, 'name')}".`,
    );
  }
  return joinRemote(target.path, source.name);
}
