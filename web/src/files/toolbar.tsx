import { useSignal, useSignalEffect } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { STRINGS } from '../strings.js';
import { Button, IconButton } from '../ui/button.js';
import { Icon } from '../ui/icon.js';
import { openMenu } from '../ui/menu.js';
import { sayFailure } from '../ui/toast.js';
import { actionsFor, asking } from './actions.js';
import { chosen, find, folder, searchFor, selection } from './folder.js';
import { formatBytes, formatCount } from '../format.js';
import { canPick, filesOfInput, pick } from './queue/given.js';
import { upload } from './queue/uploads.js';

const S = STRINGS.files;
/** After the last key, so that not every letter asks the peer. */
const SEARCH_CALM_MS = 250;

export function Toolbar() {
  return (
    <div class="toolbar">
      <Search />
      {chosen.value.length > 0 ? <ChosenBar /> : <AddBar />}
    </div>
  );
}

function Search() {
  const text = useSignal(find.peek());
  const input = useRef<HTMLInputElement>(null);
  useSignalEffect(() => {
    text.value = find.value;
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      const typing = event.target instanceof Element && event.target.closest('input, textarea, dialog') !== null;
      if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === '/') input.current?.focus();
      else if (event.key === '?') asking.value = { about: 'keys' };
      else return;
      event.preventDefault();
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  useEffect(() => {
    if (text.value === find.peek()) return undefined;
    const timer = setTimeout(() => searchFor(text.value), SEARCH_CALM_MS);
    return () => clearTimeout(timer);
  }, [text.value]);
  return (
    <label class="search">
      <span class="unseen">{S.search}</span>
      <Icon name="search" />
      <input
        class="input"
        type="search"
        placeholder={S.search}
        value={text.value}
        autoComplete="off"
        ref={input}
        onInput={(event) => {
          text.value = event.currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.key === 'Escape') text.value = '';
        }}
      />
    </label>
  );
}

function AddBar() {
  const files = useRef<HTMLInputElement>(null);
  const folders = useRef<HTMLInputElement>(null);
  const choose = (what: 'files' | 'folder') => {
    const to = folder.peek();
    const input = what === 'files' ? files.current : folders.current;
    if (canPick(what))
      void pick(what)
        .then((given) => upload(given, to))
        .catch(sayFailure);
    else input?.click();
  };
  const take = (event: { readonly currentTarget: HTMLInputElement }) => {
    void upload(filesOfInput(event.currentTarget), folder.peek());
    event.currentTarget.value = '';
  };
  const hidden = { type: 'file', class: 'unseen', multiple: true, tabIndex: -1, 'aria-hidden': true } as const;
  return (
    <div class="row toolbar-actions">
      <Button icon="folderPlus" onClick={() => (asking.value = { about: 'folder' })}>
        {S.newFolder}
      </Button>
      <Button
        kind="primary"
        icon="upload"
        onClick={(event) =>
          openMenu(
            S.upload,
            [
              { label: S.uploadFiles, icon: 'file', run: () => choose('files') },
              { label: S.uploadFolder, icon: 'folder', run: () => choose('folder') },
            ],
            event.currentTarget as HTMLElement,
          )
        }
      >
        {S.upload}
      </Button>
      <input {...hidden} data-purpose="files" ref={files} onChange={take} />
      <input {...hidden} data-purpose="folder" {...{ webkitdirectory: true }} ref={folders} onChange={take} />
    </div>
  );
}

function ChosenBar() {
  const entries = chosen.value;
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const actions = actionsFor(entries);
  return (
    <div class="row toolbar-actions" role="toolbar" aria-label={S.actions}>
      <span class="soft" role="status">
        {S.chosen(formatCount(entries.length))}
        {bytes > 0 ? ` · ${formatBytes(bytes)}` : ''}
      </span>
      {actions.map(({ label, icon, run }) => (
        <IconButton key={label} icon={icon} label={label} onClick={run} />
      ))}
      <IconButton
        icon="close"
        label={S.chooseNone}
        onClick={() => {
          selection.value = { ...selection.value, chosen: new Set() };
        }}
      />
    </div>
  );
}
