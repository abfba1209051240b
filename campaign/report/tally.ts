import type { Violation } from '../check/ledger.js';

const MOST_REMARKS = 20;

/** What happened so far; everybody adds to it. */
export class Tally {
  /** "put", then how it ended: "ok" or an error's code. */
  readonly operations = new Map<string, Map<string, number>>();
  /** Times that a fault of a kind was injected, and what it broke: files, bits, peers. */
  readonly faults = new Map<string, { times: number; broken: number }>();
  readonly violations: Violation[] = [];
  /** What a reader of the table should know. */
  readonly remarks: string[] = [];
  /** Of the files whose writes were acknowledged. */
  writtenBytes = 0;
  rounds = 0;

  operation(name: string, outcome: string): void {
    const outcomes = this.operations.get(name) ?? new Map<string, number>();
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    this.operations.set(name, outcomes);
  }

  remark(text: string): void {
    if (this.remarks.length < MOST_REMARKS) this.remarks.push(text);
  }

  fault(kind: string, broken: number): void {
    const before = this.faults.get(kind) ?? { times: 0, broken: 0 };
    this.faults.set(kind, { times: before.times + 1, broken: before.broken + broken });
  }
}
