import { StorageError } from '../../errors.js';
import { MAX_RECORD_PROBLEMS } from '../../limits.js';
import type { Logger } from '../../log.js';
import type { RecordProblem } from '../catalog.js';

/** What of the shared databases was not believed, for logs and for status. The oldest are forgotten first. */
export class RecordProblems {
  readonly #logger: Logger;
  readonly #found = new Map<string, RecordProblem>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** An error of somebody's document. @throws whatever is no StorageError, for that is a bug of ours */
  refused(document: string, error: unknown): StorageError {
    if (!(error instanceof StorageError)) throw error;
    this.note({ document, kind: error.code === 'UNSUPPORTED' ? 'newer' : 'refused', reason: error.message });
    return error;
  }

  /** What was read could not be remembered, or its document not be put right. */
  unmended(document: string, error: unknown): void {
    if (!(error instanceof StorageError)) throw error;
    this.#logger.warn({ document, code: error.code, reason: error.message }, 'a record could not be put right');
  }

  /** Logged once for each document and kind, until it is solved. */
  note(problem: RecordProblem): void {
    const { document, kind, reason } = problem;
    const known = this.#found.get(document)?.kind === kind;
    this.#found.set(document, problem);
    if (known) return;
    this.#logger.warn({ document, kind, reason }, 'a document of the shared databases is not as it should be');
    for (const oldest of this.#found.keys()) {
      if (this.#found.size <= MAX_RECORD_PROBLEMS) break;
      this.#found.delete(oldest);
    }
  }

  /** The document was read without any. That an older state was put back stays known until this peer restarts. */
  solved(document: string): void {
    if (this.#found.get(document)?.kind !== 'replayed') this.#found.delete(document);
  }

  list(): readonly RecordProblem[] {
    return [...this.#found.values()];
  }
}
