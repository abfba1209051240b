import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { place } from '../../router.js';
import { STRINGS } from '../../strings.js';
import { Button, IconButton } from '../../ui/button.js';
import { LongList } from '../../ui/long-list.js';
import { Progress } from '../../ui/progress.js';
import { formatBytes, formatCount, formatDuration } from '../../format.js';
import { formatSpeed } from '../format.js';
import { shownName } from '../names.js';
import { nameOf } from '../paths.js';
import type { QueuedItem } from './queued-item.js';
import { findFiles, totals, uploading, uploads, type Totals } from './uploads.js';
import './queue.css';

const ROW_HEIGHT = 56;
const S = STRINGS.uploads;

/** What is on its way up, at the foot of every page. Nothing while the queue is empty. */
export function QueuePanel() {
  const choice = useSignal<boolean | null>(null);
  const sum = totals.value;
  const queue = uploads.value;
  if (sum === null || queue === null || sum.files === 0) return null;
  const finished = sum.done === sum.files;
  if (finished && place.value.page !== 'files' && place.value.page !== '') return null;
  const open = choice.value ?? !finished;
  return (
    <section class="queue" aria-label={S.title}>
      <header class="queue-head">
        <div class="grow">
          <h2>{headline(sum)}</h2>
          <p class="soft small">{detail(sum)}</p>
        </div>
        {uploading.value ? (
          <IconButton icon="pause" label={S.pauseAll} onClick={() => queue.pauseAll()} />
        ) : sum.paused + sum.failed > 0 ? (
          <IconButton icon="play" label={S.resumeAll} onClick={() => queue.resumeAll()} />
        ) : null}
        <IconButton
          icon={open ? 'chevronDown' : 'arrowUp'}
          label={open ? S.fold : S.unfold}
          onClick={() => {
            choice.value = !open;
          }}
        />
        {uploading.value ? null : (
          <IconButton icon="close" label={S.clear} onClick={() => queue.remove(queue.items.peek())} />
        )}
      </header>
      <Progress label={S.title} part={sum.bytes === 0 ? sum.done / sum.files : sum.sentBytes / sum.bytes} />
      {sum.missing > 0 ? <Missing /> : null}
      {open ? <Items items={queue.items.value} /> : null}
    </section>
  );
}

function headline(sum: Totals): string {
  const left = sum.files - sum.done;
  if (left === 0) return S.allDone(formatCount(sum.files), sum.files);
  if (sum.running + sum.waiting > 0) return S.left(formatCount(left), left);
  return sum.missing > 0 ? S.interrupted(formatCount(sum.missing), sum.missing) : S.standing(formatCount(left), left);
}

function detail({ bytes, sentBytes, bytesPerSecond, running }: Totals): string {
  const amount = S.amount(formatBytes(sentBytes), formatBytes(bytes));
  if (running === 0 || bytesPerSecond < 1) return amount;
  return `${amount} · ${formatSpeed(bytesPerSecond)} · ${S.timeLeft(formatDuration((bytes - sentBytes) / bytesPerSecond))}`;
}

/** After a reload, the browser has lost hold of the files; what was sent is at the peer. */
function Missing() {
  const input = useRef<HTMLInputElement>(null);
  const missing = (uploads.value?.items.value ?? []).filter(({ state }) => state === 'missing');
  const findable = missing.some(({ handle, message }) => handle !== null && message.value === '');
  return (
    <div class="queue-missing">
      <p class="grow small">{findable ? S.mayFind : S.dropAgain}</p>
      {findable ? (
        <Button kind="primary" onClick={() => void findFiles(missing, { ask: true })}>
          {S.goOn}
        </Button>
      ) : (
        <>
          <Button onClick={() => input.current?.click()}>{S.chooseAgain}</Button>
          <input
            class="unseen"
            type="file"
            multiple
            tabIndex={-1}
            aria-label={S.chooseAgain}
            data-purpose="again"
            ref={input}
            onChange={(event) => {
              giveAgain(missing, [...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = '';
            }}
          />
        </>
      )}
    </div>
  );
}

/** Here only the name, size and time tell: the folder that a file lies in is not known. */
function giveAgain(missing: readonly QueuedItem[], files: readonly File[]): void {
  for (const item of missing) {
    const file = files.find(
      ({ name, size, lastModified }) =>
        name === nameOf(item.path) && size === item.bytes && lastModified === item.modified,
    );
    if (file !== undefined) uploads.peek()?.supply(item, file);
  }
}

function Items({ items }: { readonly items: readonly QueuedItem[] }) {
  return (
    <div class="queue-items" tabIndex={0} role="group" aria-label={S.files}>
      <LongList
        count={items.length}
        rowHeight={ROW_HEIGHT}
        role="list"
        row={(index) => {
          const item = items[index];
          return item === undefined ? null : <Item key={item.id} item={item} />;
        }}
      />
    </div>
  );
}

function Item({ item }: { readonly item: QueuedItem }) {
  const name = shownName(nameOf(item.path));
  const state = item.phase.value;
  return (
    <div class="queue-item" role="listitem" data-state={state}>
      <div class="grow">
        <div class="queue-name" title={item.path}>
          {name}
        </div>
        <div class="queue-state small soft">{stateOf(item)}</div>
        {state === 'running' ? (
          <Progress label={name} part={item.bytes === 0 ? null : item.sent.value / item.bytes} />
        ) : null}
      </div>
      <ItemButtons item={item} name={name} />
    </div>
  );
}

function stateOf(item: QueuedItem): string {
  if (item.message.value !== '') return item.message.value;
  const state = item.phase.value;
  if (state === 'running') return S.amount(formatBytes(item.sent.value), formatBytes(item.bytes));
  return `${S.states[state]} · ${formatBytes(item.bytes)}`;
}

function ItemButtons({ item, name }: { readonly item: QueuedItem; readonly name: string }) {
  const queue = uploads.value;
  const state = item.phase.value;
  if (queue === null) return null;
  return (
    <>
      {state === 'running' || state === 'waiting' ? (
        <IconButton icon="pause" label={S.pause(name)} onClick={() => queue.pause(item)} />
      ) : null}
      {state === 'paused' || state === 'failed' ? (
        <IconButton icon="play" label={S.resume(name)} onClick={() => queue.resume(item)} />
      ) : null}
      <IconButton icon="close" label={S.remove(name)} onClick={() => queue.remove([item])} />
    </>
  );
}
