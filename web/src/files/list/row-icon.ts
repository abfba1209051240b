import type { EntryReply } from '../../api/types.js';
import type { IconName } from '../../ui/icon.js';
import { previewKind, type PreviewKind } from '../preview/kinds.js';
import { endingOf } from '../paths.js';

type Tint = 'folder' | 'picture' | 'sound' | 'paper' | 'plain';
interface RowIcon {
  readonly icon: IconName;
  readonly tint: Tint;
}

const ICONS: Readonly<Record<PreviewKind, RowIcon>> = {
  image: { icon: 'image', tint: 'picture' },
  video: { icon: 'video', tint: 'picture' },
  audio: { icon: 'audio', tint: 'sound' },
  pdf: { icon: 'file', tint: 'paper' },
  text: { icon: 'file', tint: 'plain' },
  none: { icon: 'file', tint: 'plain' },
};

const ARCHIVES = new Set('zip gz tgz bz2 xz zst 7z rar tar'.split(' '));

export function iconOf({ type, path }: EntryReply): RowIcon {
  if (type === 'folder') return { icon: 'folder', tint: 'folder' };
  return ARCHIVES.has(endingOf(path)) ? { icon: 'archive', tint: 'plain' } : ICONS[previewKind(path)];
}
