import { ACTIVITY_KEPT } from '../../limits.js';
import { integerOf, textOf } from '../../store/columns.js';
import type { Database, Statement } from '../../store/sqlite.js';
import { timeOf } from './replies.js';
import type { ActivityReply } from './web-api.js';

const STATEMENTS = {
  add: 'INSERT INTO activity (at_ms, kind, text) VALUES (?, ?, ?)',
  newest: 'SELECT at_ms, kind, text FROM activity ORDER BY id DESC LIMIT ?',
  forget: `DELETE FROM activity WHERE id <= (SELECT max(id) FROM activity) - ${String(ACTIVITY_KEPT)}`,
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/** What happened at this peer, for its people: the last ones, with no name of a file in them, for they lie here in the clear. */
export class ActivityBook {
  readonly #now: () => number;
  readonly #sql: Statements;

  constructor(database: Database, now: () => number) {
    this.#now = now;
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** It is not waited for: what a power cut takes away is a line for people. */
  add(kind: ActivityReply['kind'], text: string): void {
    this.#sql.add.run(this.#now(), kind, text);
    this.#sql.forget.run();
  }

  newest(limit: number): readonly ActivityReply[] {
    return this.#sql.newest.all(limit).map((row) => ({
      at: timeOf(integerOf(row, 'at_ms')),
      kind: textOf(row, 'kind') as ActivityReply['kind'],
      text: textOf(row, 'text'),
    }));
  }
}
