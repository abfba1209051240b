import { computed, signal } from '@preact/signals';
import { onEvent } from '../api/events.js';
import { filesApi } from '../api/files-api.js';
import type { EntryReply } from '../api/types.js';
import { go, place } from '../router.js';
import { inOrder, nextOrder, type Order, type OrderKey } from './list/order.js';
import { keepWithin, NOTHING, type Selection } from './list/selection.js';
import { isWithin } from './paths.js';
import { onStored } from './queue/stored.js';

/** Changes often come in bunches: an upload of a folder, a removal of a tree. */
const CALM_MS = 200;
/** More than anybody reads; a narrower search finds the rest. */
export const MOST_FOUND = 500;

/** The folder that is shown, and what is searched below it. */
export const folder = computed(() => place.value.query['path'] ?? '/');
export const find = computed(() => place.value.query['find'] ?? '');
/** The file that is previewed; empty when none is. */
export const viewed = computed(() => place.value.query['view'] ?? '');

const loaded = signal<readonly EntryReply[] | null>(null);
export const failure = signal<unknown>(null);
export const order = signal<Order>({ key: 'name', descending: false });
export const selection = signal<Selection>(NOTHING);

/** In the order of the list; null until they are there. */
export const entries = computed(() => (loaded.value === null ? null : inOrder(loaded.value, order.value)));
export const paths = computed(() => (entries.value ?? []).map(({ path }) => path));
export const chosen = computed(() => (entries.value ?? []).filter(({ path }) => selection.value.chosen.has(path)));

export function orderBy(key: OrderKey): void {
  order.value = nextOrder(order.value, key);
}

export function openFolder(path: string): void {
  go('files', { path: path === '/' ? undefined : path });
}

/** The browser's last step led from the list to the file. */
let cameFromList = false;

export function openFile(path: string): void {
  cameFromList = true;
  go('files', { ...place.value.query, view: path });
}

/** Back to the list, which is where the browser's own button would lead, unless a link has led here. */
export function closeFile(): void {
  if (cameFromList) history.back();
  else go('files', { ...place.value.query, view: undefined }, { replace: true });
  cameFromList = false;
}

export function searchFor(text: string): void {
  const { path } = place.value.query;
  go('files', { path, find: text }, { replace: find.value !== '' });
}

let loading = new AbortController();

/** Shows what is in the folder now. What is shown stays until it is there, unless another folder is meant. */
export async function load(path: string, text: string): Promise<void> {
  loading.abort();
  loading = new AbortController();
  const { signal: stopped } = loading;
  try {
    const found =
      text === ''
        ? await filesApi.entries(path, { signal: stopped })
        : await filesApi.search(text, path, { limit: MOST_FOUND, signal: stopped });
    const before = paths.peek();
    loaded.value = found;
    failure.value = null;
    selection.value = keepWithin(selection.peek(), before, paths.peek());
  } catch (error) {
    if (stopped.aborted) return;
    loaded.value = null;
    failure.value = error;
  }
}

export function reload(): void {
  void load(folder.peek(), find.peek());
}

/** Loads the folder, and again whenever something in it changes. @returns ends that */
export function follow(path: string, text: string): () => void {
  loaded.value = null;
  failure.value = null;
  selection.value = NOTHING;
  void load(path, text);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const changed = (where: string) => {
    if (!isWithin(where, path) && !isWithin(path, where)) return;
    clearTimeout(timer);
    timer = setTimeout(reload, CALM_MS);
  };
  const stops = [onEvent('entries', (event) => changed(event.path)), onStored(changed)];
  return () => {
    for (const stop of stops) stop();
    clearTimeout(timer);
    loading.abort();
  };
}
