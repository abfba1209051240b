import { signal } from '@preact/signals';
import { API } from './client.js';
import type { StatusReply, WebEvent } from './types.js';

type Name = WebEvent['event'];
type DataOf<N extends Name> = Extract<WebEvent, { event: N }>['data'];
type Listener<N extends Name> = (data: DataOf<N>) => void;

/** After an end that the browser does not mend by itself. */
const REOPEN_MS = 3000;
const NAMES: readonly Name[] = ['status', 'entries', 'transfer', 'session'];

/** The last status that the peer has told of; null until then. */
export const status = signal<StatusReply | null>(null);
/** The stream of events is broken: what is shown may be old. */
export const offline = signal(false);

const listeners = new Map<Name, Set<(data: never) => void>>();
let source: EventSource | null = null;
let timer: ReturnType<typeof setTimeout> | undefined;

/** @returns takes the listener away again */
export function onEvent<N extends Name>(name: N, listener: Listener<N>): () => void {
  const all = listeners.get(name) ?? new Set();
  listeners.set(name, all.add(listener));
  return () => {
    all.delete(listener);
  };
}

/**
 * Listens until `closeEvents`; a broken stream is opened again.
 *
 * @param onRefused the peer has answered with something else than a stream: perhaps nobody is signed in any more
 */
export function openEvents(onRefused: () => void): void {
  closeEvents();
  const opened = new EventSource(`${API}/events`);
  source = opened;
  opened.addEventListener('open', () => {
    offline.value = false;
  });
  opened.addEventListener('error', () => {
    offline.value = true;
    // The browser gives up for good on an answer that is no stream, such as 503 while the peer starts.
    if (opened.readyState !== EventSource.CLOSED || source !== opened) return;
    timer = setTimeout(() => {
      openEvents(onRefused);
    }, REOPEN_MS);
    onRefused();
  });
  for (const name of NAMES) {
    opened.addEventListener(name, (event: MessageEvent<string>) => {
      deliver({ event: name, data: JSON.parse(event.data) as never });
    });
  }
}

export function closeEvents(): void {
  clearTimeout(timer);
  source?.close();
  source = null;
}

function deliver({ event, data }: WebEvent): void {
  if (event === 'status') status.value = data;
  for (const listener of listeners.get(event) ?? []) listener(data as never);
}
