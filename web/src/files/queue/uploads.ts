import { computed, effect, signal } from '@preact/signals';
import { loadSession, user } from '../../session.js';
import { say } from '../../ui/toast.js';
import { STRINGS } from '../../strings.js';
import { filesApi } from '../../api/files-api.js';
import { messageOf } from '../../api/problem.js';
import { formatCount } from '../../format.js';
import { joinPath } from '../paths.js';
import type { Given } from './given.js';
import { UploadJournal } from './journal.js';
import { Meter } from './meter.js';
import type { QueuedItem } from './queued-item.js';
import { discardUpload, sendFile } from './send.js';
import { tellStored } from './stored.js';
import { UploadQueue } from './upload-queue.js';

/** How often the sums are made anew while something is sent. */
const TICK_MS = 500;

export interface Totals {
  readonly files: number;
  readonly done: number;
  readonly failed: number;
  /** Have to be given again. */
  readonly missing: number;
  readonly paused: number;
  readonly running: number;
  readonly waiting: number;
  readonly bytes: number;
  readonly sentBytes: number;
  readonly bytesPerSecond: number;
}

/** The queue of whoever is signed in; null while nobody is. */
export const uploads = signal<UploadQueue | null>(null);
export const totals = signal<Totals | null>(null);
/** Something is sent or will be. */
export const uploading = computed(() => (totals.value?.running ?? 0) + (totals.value?.waiting ?? 0) > 0);

let ofUser = '';
const meter = new Meter();

/** Once: the queue follows who is signed in. It outlives a session that ends, and goes on with the next of the same user. */
export function startUploads(): void {
  effect(() => {
    const id = user.value?.id ?? null;
    if (id === null) {
      uploads.peek()?.suspend();
      return;
    }
    if (id === ofUser) {
      uploads.peek()?.wake();
      return;
    }
    ofUser = id;
    const journal = new UploadJournal(id);
    const queue = new UploadQueue({
      ...{ discard: discardUpload, journal },
      send: async (sending) => {
        await sendFile(sending);
        tellStored(sending.path);
      },
      later: (ms, work) => setTimeout(work, ms),
      // Shows the sign-in page where nobody is signed in any more; where somebody is, the queue wakes.
      onRefused: () => void loadSession().catch(() => undefined),
      newId: () => crypto.randomUUID(),
    });
    uploads.value = queue;
    void journal.load().then(async (kept) => {
      queue.load(kept);
      await findFiles(queue.items.peek(), { ask: false });
    });
  });
  effect(() => {
    totals.value = sumOf(uploads.value?.items.value ?? []);
  });
  setInterval(() => {
    const items = uploads.peek()?.items.peek() ?? [];
    if (items.some(({ phase }) => phase.peek() === 'running')) totals.value = sumOf(items);
    else meter.reset();
  }, TICK_MS);
}

/** Queues what was given, and makes the folders in which nothing lies. */
export async function upload(given: Given, folder: string): Promise<void> {
  const queue = uploads.peek();
  if (queue === null) return;
  const refused = queue.add(given.files, folder);
  if (refused > 0) say(STRINGS.uploads.queueFull(formatCount(refused)));
  for (const empty of given.emptyFolders) {
    try {
      await filesApi.makeFolder(joinPath(folder, empty));
    } catch (error) {
      say(messageOf(error));
    }
  }
}

interface Finding {
  /** The browser may ask whether it may read them: only after a click. */
  readonly ask: boolean;
}

/** Finds files that the queue misses by their handles. Those that changed meanwhile are not what was begun. */
export async function findFiles(items: readonly QueuedItem[], { ask }: Finding): Promise<void> {
  for (const item of items) {
    const { handle } = item;
    if (item.state !== 'missing' || handle === null) continue;
    try {
      const mode = { mode: 'read' } as const;
      const granted = await (ask ? handle.requestPermission?.(mode) : handle.queryPermission?.(mode));
      if (granted !== 'granted') continue;
      const file = await handle.getFile();
      if (file.size === item.bytes && file.lastModified === item.modified) uploads.peek()?.supply(item, file);
      else item.message.value = STRINGS.uploads.changed;
    } catch {
      item.message.value = STRINGS.uploads.notFound; // Moved or deleted: the words say what to do.
    }
  }
}

function sumOf(items: readonly QueuedItem[]): Totals {
  const count = { running: 0, waiting: 0, paused: 0, missing: 0, failed: 0, done: 0 };
  let bytes = 0;
  let sentBytes = 0;
  for (const item of items) {
    count[item.phase.value] += 1;
    bytes += item.bytes;
    sentBytes += Math.min(item.sent.peek(), item.bytes);
  }
  meter.sample(sentBytes, performance.now());
  return { ...count, files: items.length, bytes, sentBytes, bytesPerSecond: meter.bytesPerSecond };
}
