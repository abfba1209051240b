import { setImmediate } from 'node:timers/promises';
import { MAX_GROUPED_DOCUMENTS } from '../../limits.js';
import { Batch, type Sealing } from './batch.js';
import type { Document } from '../../documents/document-database.js';
import type { View } from './view.js';

/** What a commit is planned against. */
export interface Turn {
  readonly view: View;
  readonly batch: Batch;
}

export interface CommitQueueOptions extends Sealing {
  /** Durable, all or none, when it resolves. */
  readonly write: (documents: readonly Document[]) => Promise<void>;
  readonly readView: () => Promise<View>;
  /** After the view has changed. */
  readonly onChange: () => void;
}

interface Waiting {
  readonly alone: boolean;
  /** Plans the commit. @returns what to call once it is durable and visible */
  plan(turn: Turn): Promise<() => void>;
  reject(error: unknown): void;
}

/**
 * One user's commits, one after the other; those that wait while the disk is busy share the next write. Each is planned
 * against a view that holds everything before it, and becomes visible when its documents are durable. A commit whose plan
 * throws leaves nothing and does not harm the others.
 */
export class CommitQueue {
  readonly #options: CommitQueueOptions;
  readonly #queue: Waiting[] = [];
  #view: View;
  #draining: Promise<void> | undefined;
  /** After a failed write nobody knows which of its documents are there: the database is asked before the next turn. */
  #doubtful = false;

  constructor(view: View, options: CommitQueueOptions) {
    this.#view = view;
    this.#options = options;
  }

  get view(): View {
    return this.#view;
  }

  /**
   * @param plan adds to the batch all it wants, or throws before it adds anything
   * @param alone the plan cannot see what others in its batch have staged, so it gets a batch of its own
   * @returns what `plan` returned
   */
  run<T>(plan: (turn: Turn) => T | Promise<T>, { alone }: { readonly alone: boolean }): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const planned = async (turn: Turn): Promise<() => void> => {
        const value = await plan(turn);
        return () => {
          resolve(value);
        };
      };
      this.#queue.push({ alone, plan: planned, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing is on its way to the disk. */
  async idle(): Promise<void> {
    while (this.#draining !== undefined) await this.#draining;
  }

  async #drain(): Promise<void> {
    // Those of the same turn of the event loop go together.
    await setImmediate();
    while (this.#queue.length > 0) await this.#turn();
    this.#draining = undefined;
  }

  async #turn(): Promise<void> {
    try {
      if (this.#doubtful) this.#view = await this.#options.readView();
      this.#doubtful = false;
    } catch (error) {
      for (const waiting of this.#queue.splice(0)) waiting.reject(error);
      return;
    }
    const batch = new Batch(this.#options, this.#view);
    const members = await this.#plan(batch);
    try {
      if (batch.documents.length > 0) await this.#options.write(batch.documents);
    } catch (error) {
      this.#doubtful = true;
      for (const { waiting } of members) waiting.reject(error);
      return;
    }
    for (const { text, stamp } of batch.changes) {
      this.#view.apply(text, stamp);
      text.plain.fill(0);
    }
    for (const { done } of members) done();
    if (batch.changes.length > 0) this.#options.onChange();
  }

  async #plan(batch: Batch): Promise<{ waiting: Waiting; done: () => void }[]> {
    const members: { waiting: Waiting; done: () => void }[] = [];
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const full = batch.documents.length >= MAX_GROUPED_DOCUMENTS;
      if (members.length > 0 && (full || next.alone)) break;
      this.#queue.shift();
      try {
        members.push({ waiting: next, done: await next.plan({ view: this.#view, batch }) });
      } catch (error) {
        next.reject(error);
      }
      if (next.alone) break;
    }
    return members;
  }
}
