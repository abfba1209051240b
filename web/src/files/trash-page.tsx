import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { onEvent } from '../api/events.js';
import { filesApi } from '../api/files-api.js';
import { messageOf } from '../api/problem.js';
import type { DeletedReply } from '../api/types.js';
import { STRINGS } from '../strings.js';
import { Button } from '../ui/button.js';
import { FormDialog } from '../ui/form-dialog.js';
import { Icon } from '../ui/icon.js';
import { LongList } from '../ui/long-list.js';
import { Empty, Notice } from '../ui/notice.js';
import { Spinner } from '../ui/progress.js';
import { say, sayFailure } from '../ui/toast.js';
import { formatBytes, formatCount } from '../format.js';
import { formatMoment } from './format.js';
import { iconOf } from './list/row-icon.js';
import { shownName } from './names.js';
import { nameOf, parentOf } from './paths.js';
import './list/list.css';
import './trash.css';

const S = STRINGS.trash;
/** CSS pixels, as .trash-row in trash.css has it. */
const ROW_HEIGHT = 60;

export function TrashPage() {
  const deleted = useSignal<readonly DeletedReply[] | null>(null);
  const failure = useSignal('');
  const emptying = useSignal(false);
  const load = async () => {
    try {
      const found = await filesApi.trash();
      deleted.value = [...found].sort((a, b) => b.deleted.localeCompare(a.deleted));
      failure.value = '';
    } catch (error) {
      failure.value = messageOf(error);
    }
  };
  useEffect(() => {
    void load();
    return onEvent('entries', () => void load());
  }, []);
  const restore = (item: DeletedReply) => {
    filesApi.restore(item.path).then((entry) => {
      say(S.restored(shownName(nameOf(entry.path)), place(entry.path)));
      void load();
    }, sayFailure);
  };
  return (
    <div class="page">
      <div class="page-head">
        <h1>{STRINGS.pages.trash}</h1>
        {(deleted.value?.length ?? 0) > 0 ? (
          <Button icon="trash" onClick={() => (emptying.value = true)}>
            {S.empty}
          </Button>
        ) : null}
      </div>
      {failure.value === '' ? null : <Notice kind="bad">{failure.value}</Notice>}
      <Content deleted={deleted.value} failed={failure.value !== ''} onRestore={restore} />
      {emptying.value ? <EmptyDialog onDone={() => void load()} onClose={() => (emptying.value = false)} /> : null}
    </div>
  );
}

interface ContentProps {
  readonly deleted: readonly DeletedReply[] | null;
  readonly failed: boolean;
  readonly onRestore: (item: DeletedReply) => void;
}

function Content({ deleted, failed, onRestore }: ContentProps) {
  if (deleted === null) return failed ? null : <Spinner />;
  if (deleted.length === 0) {
    return (
      <Empty icon="trash" title={S.nothing}>
        <p>{S.nothingHint}</p>
      </Empty>
    );
  }
  return (
    <div class="trash">
      <LongList
        count={deleted.length}
        rowHeight={ROW_HEIGHT}
        role="list"
        row={(index) => {
          const item = deleted[index];
          return item === undefined ? null : (
            <Row key={`${item.deleted} ${item.path}`} item={item} onRestore={onRestore} />
          );
        }}
      />
    </div>
  );
}

function Row({ item, onRestore }: { readonly item: DeletedReply; readonly onRestore: (item: DeletedReply) => void }) {
  const name = shownName(nameOf(item.path));
  const { icon, tint } = iconOf({ ...item, modified: item.deleted, version: null });
  const size =
    item.type === 'folder'
      ? S.files(formatCount(item.files), item.files, formatBytes(item.bytes))
      : formatBytes(item.bytes);
  return (
    <div class="trash-row" role="listitem">
      <span class={`list-icon list-icon-${tint}`}>
        <Icon name={icon} />
      </span>
      <div class="grow trash-text">
        <div class="trash-name">{name}</div>
        <div class="soft small">
          {place(item.path)} · {size} · {S.deleted(formatMoment(item.deleted, Date.now()))}
        </div>
      </div>
      <Button kind="quiet" icon="restore" onClick={() => onRestore(item)}>
        {S.restore}
        <span class="unseen">{name}</span>
      </Button>
    </div>
  );
}

/** The folder, by the name it has on the pages. */
function place(path: string): string {
  const folder = parentOf(path);
  return folder === '/' ? STRINGS.pages.files : shownName(folder);
}

function EmptyDialog({ onDone, onClose }: { readonly onDone: () => void; readonly onClose: () => void }) {
  const empty = async () => {
    const { files } = await filesApi.emptyTrash();
    say(S.emptied(formatCount(files), files));
    onDone();
  };
  return (
    <FormDialog title={S.emptyTitle} action={S.emptyAction} danger onSubmit={empty} onClose={onClose}>
      <p>{S.emptyHint}</p>
    </FormDialog>
  );
}
