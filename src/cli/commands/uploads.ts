import type { Command } from 'commander';
import { StorageError } from '../../errors.js';
import type { UploadReply } from '../../gateways/http/api.js';
import { Invocation } from '../invocation.js';
import { printable } from '../printable.js';
import { parseRemotePath } from '../remote-path.js';
import type { Runtime } from '../runtime.js';
import { table } from '../table.js';
import { count, formatBytes, formatTime } from '../units.js';

const AFTER = `
An upload is a large file of which a part is stored: a put was broken off, or a browser was closed. The same put goes on
with it. Nobody sees the file before it is whole. After seven days without a new part, what was stored is given back.

Examples:
  shoal uploads list
  shoal uploads rm /videos/summer.mp4
  shoal uploads rm --all
`;

export function defineUploads(command: Command, runtime: Runtime): void {
  command.addHelpText('after', AFTER);
  defineList(command.command('list'), runtime);
  defineRemove(command.command('rm'), runtime);
}

function defineList(command: Command, runtime: Runtime): void {
  command
    .description('list the uploads that are not complete')
    .addHelpText('after', '\nExamples:\n  shoal uploads list\n  shoal uploads list --json\n')
    .action(async (_options: unknown, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const uploads = await invocation.client.uploads();
      invocation.result(uploads, () => (uploads.length === 0 ? '' : uploadTable(uploads)));
    });
}

function uploadTable(uploads: readonly UploadReply[]): string {
  const rows = uploads.map(({ id, path, bytes, storedBytes, expires, active, source }) => [
    id.slice(0, 12),
    printable(path),
    `${formatBytes(storedBytes)} of ${formatBytes(bytes)}`,
    active ? 'now' : formatTime(expires),
    source === null ? '' : printable(source),
  ]);
  return table(['id', 'file', 'stored', 'goes on until', 'from'], rows, ['left', 'left', 'right']);
}

function defineRemove(command: Command, runtime: Runtime): void {
  command
    .description('give uploads up, and their space back')
    .argument('[uploads...]', 'remote files, or ids, or what ids begin with')
    .option('--all', 'all that nobody adds to just now')
    .addHelpText('after', '\nExamples:\n  shoal uploads rm /videos/summer.mp4\n  shoal uploads rm 3f9a0c\n')
    .action(async (meant: string[], options: { readonly all?: true }, invoked: Command) => {
      await using invocation = new Invocation(invoked, runtime);
      const uploads = await invocation.client.uploads();
      const chosen =
        options.all === true ? uploads.filter(({ active }) => !active) : meant.flatMap((one) => meantBy(one, uploads));
      if (options.all !== true && meant.length === 0) {
        throw new StorageError('INVALID_ARGUMENT', 'Say which: shoal uploads rm /path, or shoal uploads rm --all.');
      }
      for (const { id } of chosen) await invocation.client.giveUpUpload(id);
      const storedBytes = chosen.reduce((sum, upload) => sum + upload.storedBytes, 0);
      invocation.result({ uploads: chosen.length, storedBytes }, () => {
        return `${count(chosen.length, 'upload')} given up, ${formatBytes(storedBytes)} given back.`;
      });
    });
}

/** @throws StorageError NOT_FOUND; INVALID_ARGUMENT for what several ids begin with */
function meantBy(text: string, uploads: readonly UploadReply[]): readonly UploadReply[] {
  const isPath = text.startsWith('/');
  const path = isPath ? parseRemotePath(text).path : undefined;
  const found = uploads.filter((upload) => (isPath ? upload.path === path : upload.id.startsWith(text)));
  if (found.length === 0) {
    throw new StorageError('NOT_FOUND', `No upload of "${printable(text)}" is open. See \`shoal uploads list\`.`);
  }
  if (!isPath && found.length > 1) {
    throw new StorageError(
      'INVALID_ARGUMENT',
      `The ids of ${String(found.length)} uploads begin with "${text}": say more of it.`,
    );
  }
  return found;
}
