import { useEffect } from 'preact/hooks';
import { messageOf } from '../api/problem.js';
import { STRINGS } from '../strings.js';
import { Button } from '../ui/button.js';
import { Empty, Notice } from '../ui/notice.js';
import { Spinner } from '../ui/progress.js';
import { Asked } from './dialogs/asked.js';
import { DropArea } from './drop-area.js';
import { entries, failure, find, folder, follow, MOST_FOUND, reload, viewed } from './folder.js';
import { formatCount } from '../format.js';
import { EntryList } from './list/list.js';
import { Preview } from './preview/preview.js';
import { Toolbar } from './toolbar.js';
import { Trail } from './trail.js';
import './files.css';

const S = STRINGS.files;

export function FilesPage() {
  const path = folder.value;
  const text = find.value;
  useEffect(() => follow(path, text), [path, text]);
  return (
    <DropArea>
      <div class="page files">
        <Trail />
        <Toolbar />
        <Content />
      </div>
      <Asked />
      {viewed.value === '' ? null : <Preview path={viewed.value} />}
    </DropArea>
  );
}

function Content() {
  const shown = entries.value;
  if (failure.value !== null) {
    return (
      <div class="stack">
        <Notice kind="bad">{messageOf(failure.value)}</Notice>
        <div>
          <Button onClick={reload}>{STRINGS.retry}</Button>
        </div>
      </div>
    );
  }
  if (shown === null) return <Spinner />;
  if (shown.length === 0) return <NothingHere />;
  return (
    <>
      <EntryList entries={shown} />
      <p class="files-count soft small" role="status">
        {find.value === ''
          ? S.count(formatCount(shown.length), shown.length)
          : S.found(formatCount(shown.length), shown.length >= MOST_FOUND)}
      </p>
    </>
  );
}

function NothingHere() {
  if (find.value !== '') {
    return (
      <Empty icon="search" title={S.nothingFound}>
        <p>{S.nothingFoundHint}</p>
      </Empty>
    );
  }
  return (
    <Empty icon="upload" title={folder.value === '/' ? S.noFiles : S.emptyFolder}>
      <p>{S.emptyHint}</p>
    </Empty>
  );
}
