import { signal } from '@preact/signals';
import { archiveUrl, downloadUrl, filesApi } from '../api/files-api.js';
import type { EntryReply } from '../api/types.js';
import { go } from '../router.js';
import { STRINGS } from '../strings.js';
import type { MenuItem } from '../ui/menu.js';
import { say, sayFailure } from '../ui/toast.js';
import { openFile, openFolder, reload } from './folder.js';
import { formatCount } from '../format.js';
import { shownName } from './names.js';
import { nameOf } from './paths.js';

/** The dialog that is open, and what it is about. */
export type Asking =
  | { readonly about: 'folder' }
  | { readonly about: 'rename'; readonly entry: EntryReply }
  | { readonly about: 'move'; readonly entries: readonly EntryReply[] }
  | { readonly about: 'versions'; readonly entry: EntryReply }
  | { readonly about: 'keys' };

export const asking = signal<Asking | null>(null);

const S = STRINGS.files;

export function open(entry: EntryReply): void {
  if (entry.type === 'folder') openFolder(entry.path);
  else openFile(entry.path);
}

/** One file as it is; several, or a folder, as a zip. */
export function download(entries: readonly EntryReply[]): void {
  const [first] = entries;
  if (first === undefined) return;
  const alone = entries.length === 1 && first.type === 'file';
  const link = document.createElement('a');
  link.href = alone ? downloadUrl(first.path) : archiveUrl(entries.map(({ path }) => path));
  link.download = '';
  link.click();
}

/** Into the trash. Undoing is easier than answering a question each time. */
export async function remove(entries: readonly EntryReply[]): Promise<void> {
  const removed: EntryReply[] = [];
  try {
    for (const entry of entries) {
      await filesApi.remove(entry.path, { recursive: entry.type === 'folder' });
      removed.push(entry);
    }
  } catch (error) {
    sayFailure(error);
  }
  reload();
  const [first] = removed;
  if (first === undefined) return;
  const text =
    removed.length === 1 ? S.removed(shownName(nameOf(first.path))) : S.removedMany(formatCount(removed.length));
  say(text, { label: S.undo, run: () => void restore(removed.map(({ path }) => path)) });
}

/** Out of the trash. */
export async function restore(paths: readonly string[]): Promise<void> {
  try {
    for (const path of paths) {
      const entry = await filesApi.restore(path);
      if (entry.path !== path) say(S.restoredAs(shownName(nameOf(entry.path))));
    }
  } catch (error) {
    sayFailure(error);
  }
  reload();
}

/** What can be done with what is chosen. */
export function actionsFor(entries: readonly EntryReply[]): readonly MenuItem[] {
  const [first] = entries;
  if (first === undefined) return [];
  const single = entries.length === 1;
  const file = single && first.type === 'file';
  const one: readonly MenuItem[] = [
    { label: S.open, icon: file ? 'eye' : 'folder', keys: 'Enter', run: () => open(first) },
    { label: S.rename, icon: 'pencil', keys: 'F2', run: () => (asking.value = { about: 'rename', entry: first }) },
  ];
  const ofFile: readonly MenuItem[] = [
    { label: S.versions, icon: 'history', run: () => (asking.value = { about: 'versions', entry: first }) },
    { label: S.where, icon: 'where', run: () => go('where', { path: first.path }) },
  ];
  return [
    ...(single ? one : []),
    { label: file ? S.download : S.downloadZip, icon: 'download', run: () => download(entries) },
    { label: S.move, icon: 'move', run: () => (asking.value = { about: 'move', entries }) },
    ...(file ? ofFile : []),
    { label: S.remove, icon: 'trash', danger: true, keys: 'Del', run: () => void remove(entries) },
  ];
}
