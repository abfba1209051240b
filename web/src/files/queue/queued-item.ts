import { signal } from '@preact/signals';
import type { FileHandle, ItemState, KeptItem } from './item.js';

/** One file in the queue. Each part that changes is a signal, so that ten thousand rows do not follow one of them. */
export class QueuedItem {
  readonly id: string;
  readonly path: string;
  readonly bytes: number;
  readonly modified: number;
  readonly phase;
  /** Bytes of it that the peer has, or is just being sent. */
  readonly sent;
  /** Why it stands still; empty when there is nothing to say. */
  readonly message = signal('');
  /** It was stopped because the session had ended, and goes on with the next one. */
  readonly suspended = signal(false);
  uploadUrl: string | null;
  handle: FileHandle | null;
  /** null after a reload, until it is given or found again. */
  file: File | null;
  /** What ends its sending; null while it is not sent. */
  stop: AbortController | null = null;
  /** Attempts that failed one after the other, for reasons that may pass. */
  attempts = 0;

  constructor(kept: KeptItem, file: File | null) {
    this.id = kept.id;
    this.path = kept.path;
    this.bytes = kept.bytes;
    this.modified = kept.modified;
    this.uploadUrl = kept.uploadUrl;
    this.handle = kept.handle;
    this.file = file;
    this.phase = signal<ItemState>(kept.state === 'done' || file !== null ? kept.state : 'missing');
    this.sent = signal(kept.state === 'done' ? kept.bytes : 0);
  }

  get state(): ItemState {
    return this.phase.value;
  }

  kept(): KeptItem {
    const state = this.phase.peek();
    const { id, path, bytes, modified, uploadUrl, handle } = this;
    const lasting = state === 'running' || state === 'missing' ? 'waiting' : state;
    return { id, path, bytes, modified, state: lasting, uploadUrl, handle };
  }
}
