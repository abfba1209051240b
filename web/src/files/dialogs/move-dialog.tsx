import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { filesApi } from '../../api/files-api.js';
import { messageOf } from '../../api/problem.js';
import type { EntryReply } from '../../api/types.js';
import { STRINGS } from '../../strings.js';
import { FormDialog } from '../../ui/form-dialog.js';
import { Icon } from '../../ui/icon.js';
import { Notice } from '../../ui/notice.js';
import { say } from '../../ui/toast.js';
import { folder, reload } from '../folder.js';
import { formatCount } from '../../format.js';
import { inOrder } from '../list/order.js';
import { shownName } from '../names.js';
import { isWithin, joinPath, nameOf, parentOf } from '../paths.js';

interface MoveDialogProps {
  readonly entries: readonly EntryReply[];
  readonly onClose: () => void;
}

const S = STRINGS.files;

export function MoveDialog({ entries, onClose }: MoveDialogProps) {
  const to = useSignal(folder.peek());
  const stays = entries.every(({ path }) => parentOf(path) === to.value);
  const label = to.value === '/' ? STRINGS.pages.files : shownName(nameOf(to.value));
  const [first] = entries;
  const what =
    entries.length === 1 && first !== undefined ? shownName(nameOf(first.path)) : S.items(formatCount(entries.length));
  const move = async () => {
    for (const { path } of entries) await filesApi.move(path, joinPath(to.value, nameOf(path)));
    reload();
    say(S.moved(what, label));
  };
  return (
    <FormDialog title={S.moveTitle(what)} action={S.moveHere(label)} disabled={stays} onSubmit={move} onClose={onClose}>
      <FolderPicker
        path={to.value}
        without={entries.map(({ path }) => path)}
        onPick={(path) => {
          to.value = path;
        }}
      />
    </FormDialog>
  );
}

interface FolderPickerProps {
  readonly path: string;
  /** Folders that are no place to go: nothing can be moved into itself. */
  readonly without: readonly string[];
  readonly onPick: (path: string) => void;
}

function FolderPicker({ path, without, onPick }: FolderPickerProps) {
  const folders = useSignal<readonly EntryReply[] | null>(null);
  const failure = useSignal('');
  useEffect(() => {
    const stop = new AbortController();
    folders.value = null;
    failure.value = '';
    filesApi.entries(path, { signal: stop.signal }).then(
      (entries) => {
        folders.value = inOrder(entries, { key: 'name', descending: false }).filter(({ type }) => type === 'folder');
      },
      (error: unknown) => {
        if (!stop.signal.aborted) failure.value = messageOf(error);
      },
    );
    return () => stop.abort();
  }, [path]);
  const shown = folders.value?.filter((entry) => !without.some((gone) => isWithin(entry.path, gone)));
  return (
    <div class="picker" role="group" aria-label={S.folders} aria-busy={shown === undefined}>
      {path === '/' ? null : (
        <button type="button" onClick={() => onPick(parentOf(path))}>
          <Icon name="back" />
          {S.up}
        </button>
      )}
      {shown?.map((entry) => (
        <button type="button" key={entry.path} onClick={() => onPick(entry.path)}>
          <Icon name="folder" />
          {shownName(nameOf(entry.path))}
        </button>
      ))}
      {shown?.length === 0 ? <p class="soft">{S.noFolders}</p> : null}
      {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
    </div>
  );
}
