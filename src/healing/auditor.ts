import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AUDIT_QUICK_LOOK_MS,
  AUDIT_SECOND_LOOK_MS,
  MAX_AUDIT_BYTES_PER_HOUR,
  MAX_AUDIT_SUSPECTS,
  SEGMENT_BYTES,
} from '../limits.js';
import { ask, askAgain, pickQuestion, recordNaming, type AuditNetwork } from './audit.js';
import type { AuditBook, AuditOutcome, AuditQuestion, AuditResult } from './audit-book.js';

export interface AuditorOptions {
  readonly network: AuditNetwork;
  readonly book: AuditBook;
  /** In the background; 0: none. */
  readonly perHour: number;
  /** Unix time. */
  readonly clock: () => number;
  /** Before what is wrong is looked at again where somebody waits; AUDIT_QUICK_LOOK_MS unless given. */
  readonly quickLookMs?: number;
  /** Told of each settled result. */
  readonly onResult?: (result: AuditResult) => void;
}

interface Suspect {
  readonly question: AuditQuestion;
  readonly dueMs: number;
}

const HOUR_MS = 60 * 60 * 1000;
/** One audit of so many looks again at a chunk that was found wrong, while there are such. */
const FAULT_SHARE = 4;

/** Audits other peers, a little at a time. */
export class Auditor {
  readonly #options: AuditorOptions;
  /** What was wrong at first sight, in the order in which it is due. */
  readonly #suspects: Suspect[] = [];
  #hour = { sinceMs: 0, bytes: 0 };

  constructor(options: AuditorOptions) {
    this.#options = options;
  }

  get perHour(): number {
    return this.#options.perHour;
  }

  /** Until the next one in the background. */
  get pauseMs(): number {
    const { perHour } = this.#options;
    return perHour === 0 ? HOUR_MS : HOUR_MS / perHour;
  }

  get suspects(): number {
    return this.#suspects.length;
  }

  /** What the last hour's audits brought over the network. */
  get hourBytes(): number {
    return this.#thisHour().bytes;
  }

  /** One audit in the background, or a second look that is due. */
  async round(signal: AbortSignal): Promise<void> {
    const { perHour, network, book, clock } = this.#options;
    if (perHour === 0 || this.#thisHour().bytes >= MAX_AUDIT_BYTES_PER_HOUR) return;
    await book.parole();
    const [first] = this.#suspects;
    if (first !== undefined && first.dueMs <= clock()) {
      this.#suspects.shift();
      await this.#settle(first.question, await this.#again(first.question, signal));
      return;
    }
    const question = await this.#next();
    if (question === undefined) return;
    const outcome = await this.#ask(question, signal);
    if (!isWrong(outcome)) await this.#settle(question, outcome);
    else if (this.#suspects.length < MAX_AUDIT_SUSPECTS) {
      this.#suspects.push({ question, dueMs: clock() + AUDIT_SECOND_LOOK_MS });
      network.book.reportCorrupt(question.peer);
    }
  }

  /**
   * So many audits one after the other, whatever the setting; what is wrong is looked at again after a moment.
   *
   * @returns as they come; fewer, when there is nothing to audit
   */
  async *now(audits: number, signal: AbortSignal): AsyncGenerator<AuditResult> {
    const { quickLookMs = AUDIT_QUICK_LOOK_MS } = this.#options;
    for (let done = 0; done < audits; done++) {
      signal.throwIfAborted();
      const question = await this.#next();
      if (question === undefined) continue;
      let outcome: AuditOutcome | undefined = await this.#ask(question, signal);
      if (isWrong(outcome)) {
        await delay(quickLookMs, undefined, { signal });
        outcome = await this.#again(question, signal);
      }
      const settled = await this.#settle(question, outcome);
      if (settled !== undefined) yield settled;
    }
  }

  async #next(): Promise<AuditQuestion | undefined> {
    const { network, book } = this.#options;
    const faults = book.faults();
    const again = faults.length > 0 && randomInt(FAULT_SHARE) === 0 ? faults[randomInt(faults.length)] : undefined;
    if (again === undefined) return pickQuestion(network);
    if ((await recordNaming(again, network)) !== undefined) return again;
    await book.settle(again.peer, again.chunk);
    return pickQuestion(network);
  }

  async #ask(question: AuditQuestion, signal: AbortSignal): Promise<AuditOutcome> {
    const outcome = await ask(question, this.#options.network, signal);
    this.#count(outcome);
    return outcome;
  }

  async #again(question: AuditQuestion, signal: AbortSignal): Promise<AuditOutcome | undefined> {
    const outcome = await askAgain(question, this.#options.network, signal);
    if (outcome !== undefined) this.#count(outcome);
    return outcome;
  }

  async #settle(question: AuditQuestion, outcome: AuditOutcome | undefined): Promise<AuditResult | undefined> {
    if (outcome === undefined) return undefined;
    const { book, clock, onResult } = this.#options;
    const { peer, stripe, chunk, segment } = question;
    const result = { peer, stripe, chunk, segment, outcome, atMs: clock() };
    await book.add(result);
    onResult?.(result);
    return result;
  }

  #count(outcome: AuditOutcome): void {
    if (outcome === 'passed' || outcome === 'corrupt') this.#thisHour().bytes += SEGMENT_BYTES;
  }

  #thisHour(): { sinceMs: number; bytes: number } {
    const nowMs = this.#options.clock();
    if (nowMs - this.#hour.sinceMs >= HOUR_MS) this.#hour = { sinceMs: nowMs, bytes: 0 };
    return this.#hour;
  }
}

function isWrong(outcome: AuditOutcome): boolean {
  return outcome === 'missing' || outcome === 'corrupt';
}
