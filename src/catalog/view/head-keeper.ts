import { wrapError } from '../../errors.js';
import type { Logger } from '../../log.js';
import type { RememberedHead } from '../../store/record-memory.js';
import type { RecordProblems } from '../records/record-problems.js';
import { documentId } from './document-id.js';
import type { View } from './view.js';

/** The newest changes that this peer has seen of one user's catalog, apart from it. */
export interface HeadMemory {
  list(): readonly RememberedHead[];
  /** Resolves when they would survive a power cut. */
  put(heads: readonly RememberedHead[]): Promise<void>;
  forget(): Promise<void>;
}

export interface HeadKeeperOptions {
  readonly memory: HeadMemory;
  readonly problems: Pick<RecordProblems, 'note' | 'solved'>;
  readonly logger: Logger;
}

const REASON =
  'This peer has seen this change of a catalog before, and its database does not have it any more: it was put back to an older state, or is damaged. No space is given back until it has come from a backup host.';

/** Notices a catalog that has gone back behind what this peer has seen of it. */
export class HeadKeeper {
  readonly #options: HeadKeeperOptions;
  /** By peer, as they are remembered. */
  readonly #kept: Map<string, RememberedHead>;
  /** Documents that were reported. */
  readonly #reported = new Set<string>();
  #keeping: Promise<void> | undefined;
  /** What has changed since it was last kept. */
  #next: View | undefined;

  constructor(options: HeadKeeperOptions) {
    this.#options = options;
    this.#kept = new Map(options.memory.list().map((head) => [head.peer, head]));
  }

  /** For a view that was read from the database. @returns whether it lacks what was there before */
  compare({ arrivals }: View): boolean {
    for (const head of this.#kept.values()) arrivals.expect(head);
    return arrivals.forgotten.length > 0;
  }

  /** Says what is lacking, once nothing waits to be brought in from a former generation. */
  report({ arrivals }: View): void {
    for (const document of arrivals.forgotten) {
      this.#reported.add(document);
      this.#options.problems.note({ document: documentId('change', document), kind: 'lost', reason: REASON });
    }
  }

  /** After a view has changed. Nobody waits: what a crash takes along is remembered the next time. */
  keep(view: View): void {
    this.#settle(view);
    this.#next = view;
    this.#keeping ??= this.#run();
  }

  /** Whoever asked knows that what is missing will not come. */
  async giveUp(view: View): Promise<void> {
    await this.idle();
    await this.#options.memory.forget();
    this.#kept.clear();
    view.arrivals.giveUp();
    this.keep(view);
    await this.idle();
  }

  async idle(): Promise<void> {
    await this.#keeping;
  }

  async #run(): Promise<void> {
    try {
      for (let view = this.#next; view !== undefined; view = this.#next) {
        this.#next = undefined;
        await this.#write(view);
      }
    } catch (error) {
      const { code } = wrapError(error, 'Remembering how far a catalog is');
      this.#options.logger.warn({ code }, 'how far a catalog is could not be remembered');
    } finally {
      this.#keeping = undefined;
    }
  }

  async #write({ arrivals }: View): Promise<void> {
    const later = arrivals.heads.filter(({ peer, counter, document }) => {
      return counter > (this.#kept.get(peer)?.counter ?? -1) && arrivals.has(document);
    });
    if (later.length === 0) return;
    await this.#options.memory.put(later);
    for (const { peer, counter, document } of later) this.#kept.set(peer, { peer, counter, document });
  }

  #settle({ arrivals }: View): void {
    const missing = new Set(arrivals.forgotten);
    for (const document of this.#reported) {
      if (missing.has(document)) continue;
      this.#reported.delete(document);
      this.#options.problems.solved(documentId('change', document));
    }
  }
}
