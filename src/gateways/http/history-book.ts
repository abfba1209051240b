import { HISTORY_DAYS, HISTORY_MINUTES_KEPT } from '../../limits.js';
import { integerOf } from '../../store/columns.js';
import type { Database, Row, Statement } from '../../store/sqlite.js';
import type { HistoryReply } from './web-api.js';

type Unit = HistoryReply['series'][number]['unit'];

/** What is measured each minute. */
export const SERIES = [
  { name: 'chunkBytes', unit: 'bytes' },
  { name: 'freeBytes', unit: 'bytes' },
  { name: 'files', unit: 'files' },
  { name: 'storedBytes', unit: 'bytes' },
  { name: 'putBytes', unit: 'bytes/s' },
  { name: 'getBytes', unit: 'bytes/s' },
  { name: 'peers', unit: 'peers' },
  { name: 'peersUp', unit: 'peers' },
  { name: 'latency', unit: 'ms' },
  { name: 'stripes', unit: 'stripes' },
  { name: 'degradedStripes', unit: 'stripes' },
  { name: 'healedSegments', unit: 'segments/s' },
] as const satisfies readonly { readonly name: string; readonly unit: Unit }[];

export type SeriesName = (typeof SERIES)[number]['name'];
export type Sample = Readonly<Partial<Record<SeriesName, number>>>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const STATEMENTS = {
  add: `INSERT INTO samples (series, step_ms, at_ms, value, minutes) VALUES (?, ?, ?, ?, 1)
        ON CONFLICT DO UPDATE SET value = (value * minutes + excluded.value) / (minutes + 1), minutes = minutes + 1`,
  read: `SELECT at_ms, value FROM samples WHERE series = ? AND step_ms = ? AND at_ms BETWEEN ? AND ? ORDER BY at_ms`,
  forget: 'DELETE FROM samples WHERE step_ms = ? AND at_ms < ?',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/** What was measured: each minute of the last days, the mean of each hour before. */
export class HistoryBook {
  readonly #database: Database;
  readonly #now: () => number;
  readonly #sql: Statements;

  constructor(database: Database, now: () => number) {
    this.#database = database;
    this.#now = now;
    this.#sql = database.prepareAll(STATEMENTS);
  }

  async add(sample: Sample): Promise<void> {
    const nowMs = this.#now();
    await this.#database.write(() => {
      for (const [name, value] of Object.entries(sample)) {
        for (const step of [MINUTE_MS, HOUR_MS]) this.#sql.add.run(name, step, nowMs - (nowMs % step), value);
      }
      this.#sql.forget.run(MINUTE_MS, nowMs - HISTORY_MINUTES_KEPT * MINUTE_MS);
      this.#sql.forget.run(HOUR_MS, nowMs - HISTORY_DAYS * DAY_MS);
    });
  }

  /** By minutes where all of them are still there, else by hours. */
  points(name: SeriesName, fromMs: number, toMs: number): (readonly [number, number])[] {
    const isRecent = fromMs >= this.#now() - HISTORY_MINUTES_KEPT * MINUTE_MS;
    const rows = this.#sql.read.all(name, isRecent ? MINUTE_MS : HOUR_MS, fromMs, toMs);
    return rows.map((row) => [integerOf(row, 'at_ms'), realOf(row, 'value')] as const);
  }
}

function realOf(row: Row, column: string): number {
  const value = row[column];
  return typeof value === 'number' ? value : 0;
}
