import { useEffect, useRef } from 'preact/hooks';
import type { EntryReply } from '../../api/types.js';
import { STRINGS } from '../../strings.js';
import { IconButton } from '../../ui/button.js';
import { Icon } from '../../ui/icon.js';
import { LongList } from '../../ui/long-list.js';
import { openMenu } from '../../ui/menu.js';
import { actionsFor, asking, open, remove } from '../actions.js';
import { chosen, find, folder, openFolder, order, orderBy, paths, selection } from '../folder.js';
import { formatBytes } from '../../format.js';
import { formatFullTime, formatMoment } from '../format.js';
import { shownName } from '../names.js';
import { nameOf, parentOf } from '../paths.js';
import { effectOf, type KeyEffect } from './keys.js';
import type { OrderKey } from './order.js';
import { choose, chooseAll, extend, toggle } from './selection.js';
import { iconOf } from './row-icon.js';
import './list.css';

/** CSS pixels, as .list-row in list.css has it. */
const ROW_HEIGHT = 48;
const S = STRINGS.files;

/** The entries of a folder, or what a search has found. One stop for Tab: the arrows move within. */
export function EntryList({ entries }: { readonly entries: readonly EntryReply[] }) {
  const grid = useRef<HTMLDivElement>(null);
  const focus = selection.value.focus;
  useEffect(() => {
    if (focus !== null) reveal(grid.current, paths.peek().indexOf(focus));
  }, [focus]);
  const active = focus === null ? -1 : paths.value.indexOf(focus);
  return (
    <div
      class="list"
      role="grid"
      tabIndex={0}
      aria-label={S.list}
      aria-multiselectable
      aria-rowcount={entries.length + 1}
      aria-activedescendant={active < 0 ? undefined : rowId(active)}
      ref={grid}
      onKeyDown={onKeyDown}
    >
      <Head entries={entries} />
      <LongList
        count={entries.length}
        rowHeight={ROW_HEIGHT}
        role="rowgroup"
        row={(index) => {
          const entry = entries[index];
          return entry === undefined ? null : <Row key={entry.path} entry={entry} index={index} />;
        }}
      />
    </div>
  );
}

function rowId(index: number): string {
  return `row-${String(index)}`;
}

/** Scrolls just as far as is needed: the row may not be in the page yet. */
function reveal(grid: HTMLElement | null, index: number): void {
  const rows = grid?.querySelector('[role=rowgroup]:last-child')?.getBoundingClientRect();
  if (rows === undefined || index < 0) return;
  const top = rows.top + index * ROW_HEIGHT;
  const above = top - 2 * ROW_HEIGHT;
  const below = top + 2 * ROW_HEIGHT - innerHeight;
  if (above < 0) scrollBy(0, above);
  else if (below > 0) scrollBy(0, below);
}

function onKeyDown(event: KeyboardEvent): void {
  const key = { key: event.key, shift: event.shiftKey, command: event.ctrlKey || event.metaKey, alt: event.altKey };
  const pageRows = Math.max(1, Math.floor(innerHeight / ROW_HEIGHT) - 4);
  const effect = effectOf(key, { selection: selection.peek(), order: paths.peek(), pageRows });
  if (effect === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  perform(effect);
}

function perform(effect: KeyEffect): void {
  if (effect.kind === 'select') selection.value = effect.selection;
  else if (effect.kind === 'remove') void remove(chosen.peek());
  else if (effect.kind === 'up') openFolder(parentOf(folder.peek()));
  else {
    const entry = entryAt(effect.path);
    if (entry === undefined) return;
    if (effect.kind === 'open') open(entry);
    else asking.value = { about: 'rename', entry };
  }
}

function entryAt(path: string): EntryReply | undefined {
  selection.value = choose(path);
  return chosen.peek()[0];
}

function Head({ entries }: { readonly entries: readonly EntryReply[] }) {
  const all = entries.length > 0 && chosen.value.length === entries.length;
  return (
    <div role="rowgroup" class="list-head">
      <div class="list-row" role="row" aria-rowindex={1}>
        <div class="list-check" role="columnheader">
          <input
            type="checkbox"
            aria-label={S.chooseAll}
            tabIndex={-1}
            checked={all}
            indeterminate={!all && chosen.value.length > 0}
            onChange={() => {
              selection.value = all
                ? { ...selection.value, chosen: new Set() }
                : chooseAll(selection.value, paths.value);
            }}
          />
        </div>
        <HeadCell class="list-name" column="name" label={S.columns.name} />
        <HeadCell class="list-modified" column="modified" label={S.columns.modified} />
        <HeadCell class="list-bytes" column="bytes" label={S.columns.bytes} />
        <div class="list-more" role="columnheader">
          <span class="unseen">{STRINGS.more}</span>
        </div>
      </div>
    </div>
  );
}

interface HeadCellProps {
  readonly class: string;
  readonly column: OrderKey;
  readonly label: string;
}

function HeadCell({ class: name, column, label }: HeadCellProps) {
  const { key, descending } = order.value;
  const here = key === column;
  return (
    <div class={name} role="columnheader" aria-sort={here ? (descending ? 'descending' : 'ascending') : 'none'}>
      <button type="button" class="list-sort" onClick={() => orderBy(column)}>
        {label}
        {here ? <Icon name={descending ? 'arrowDown' : 'arrowUp'} /> : null}
      </button>
    </div>
  );
}

function Row({ entry, index }: { readonly entry: EntryReply; readonly index: number }) {
  const name = shownName(nameOf(entry.path));
  const isChosen = selection.value.chosen.has(entry.path);
  return (
    <div
      class="list-row"
      role="row"
      id={rowId(index)}
      aria-rowindex={index + 2}
      aria-selected={isChosen}
      data-focus={selection.value.focus === entry.path}
      onClick={(event) => pickRow(event, entry.path)}
      onContextMenu={(event) => {
        event.preventDefault();
        if (!isChosen) selection.value = choose(entry.path);
        openMenu(S.actions, actionsFor(chosen.peek()), event);
      }}
    >
      <div class="list-check" role="gridcell">
        <input
          type="checkbox"
          aria-label={S.choose(name)}
          tabIndex={-1}
          checked={isChosen}
          onClick={(event) => event.stopPropagation()}
          onChange={() => {
            selection.value = toggle(selection.value, entry.path);
          }}
        />
      </div>
      <NameCell entry={entry} name={name} />
      <div class="list-modified soft" role="gridcell" title={formatFullTime(entry.modified)}>
        {formatMoment(entry.modified, Date.now())}
      </div>
      <div class="list-bytes soft" role="gridcell">
        {entry.type === 'file' ? formatBytes(entry.bytes) : '–'}
      </div>
      <div class="list-more" role="gridcell">
        <MoreButton entry={entry} name={name} />
      </div>
    </div>
  );
}

function MoreButton({ entry, name }: { readonly entry: EntryReply; readonly name: string }) {
  return (
    <IconButton
      icon="dots"
      label={S.actionsOf(name)}
      tabIndex={-1}
      onClick={(event) => {
        event.stopPropagation();
        if (!selection.value.chosen.has(entry.path)) selection.value = choose(entry.path);
        openMenu(S.actions, actionsFor(chosen.peek()), event.currentTarget as HTMLElement);
      }}
    />
  );
}

function NameCell({ entry, name }: { readonly entry: EntryReply; readonly name: string }) {
  const { icon, tint } = iconOf(entry);
  return (
    <div class="list-name" role="gridcell">
      <span class={`list-icon list-icon-${tint}`}>
        <Icon name={icon} />
      </span>
      <span class="list-label">
        <button
          type="button"
          class="list-open"
          tabIndex={-1}
          title={name}
          onClick={(event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return;
            event.stopPropagation();
            open(entry);
          }}
        >
          {name}
        </button>
        {find.value === '' ? (
          <span class="list-second soft small">{secondLine(entry)}</span>
        ) : (
          <span class="list-place soft small">{parentOf(entry.path)}</span>
        )}
      </span>
    </div>
  );
}

/** On a phone, where the columns have no room. */
function secondLine(entry: EntryReply): string {
  const time = formatMoment(entry.modified, Date.now());
  return entry.type === 'file' ? `${formatBytes(entry.bytes)} · ${time}` : time;
}

function pickRow(event: MouseEvent, path: string): void {
  if (event.shiftKey) selection.value = extend(selection.value, path, paths.value);
  else selection.value = event.ctrlKey || event.metaKey ? toggle(selection.value, path) : choose(path);
}
