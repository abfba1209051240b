import { createHash } from 'node:crypto';
import { readIfThere, writeDurably } from '../durable-file.js';
import { StorageError } from '../errors.js';

const HEAD = '# Written by Shoal. Changes are lost, and refused: the next line says what the rest was.';
const CHECKSUM = /^# sha256 ([0-9a-f]{64})$/;

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** A file that tells whether somebody has changed it. */
export function stamp(text: string): string {
  return `${HEAD}\n# sha256 ${digest(text)}\n${text}`;
}

function isUntouched(file: string): boolean {
  const [head, checksum = '', ...rest] = file.split('\n');
  return head === HEAD && CHECKSUM.exec(checksum)?.[1] === digest(rest.join('\n'));
}

/**
 * Writes a generated file whole or not at all, over one that was generated, too.
 *
 * @throws StorageError CONFLICT for a file that somebody has edited, which stays as it is
 */
export async function writeGenerated(path: string, text: string): Promise<void> {
  const stamped = stamp(text);
  const found = await readIfThere(path);
  if (found === stamped) return;
  if (found !== undefined && !isUntouched(found)) {
    throw new StorageError(
      'CONFLICT',
      `${path} was edited by hand, and is not overwritten. Move it away to have it written anew; to keep your changes, run nginx with your own copy of it yourself, and \`shoal serve\` without the front.`,
    );
  }
  await writeDurably(path, stamped);
}
