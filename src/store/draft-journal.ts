import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toHex } from '../bytes.js';
import { idBytes, parseStripeId, parseUserId, type StripeId, type UserId } from '../chunk/ids.js';
import { wrapError } from '../errors.js';
import { blobOf, integerOf } from './columns.js';
import { Database, type Row, type Statement } from './sqlite.js';

/** A draft as it lies on the disk. */
export interface DraftRow {
  /** Lower-case hex of 16 bytes. */
  readonly id: string;
  readonly owner: UserId;
  /** Of the owner's keys. */
  readonly generation: number;
  readonly salt: Uint8Array;
  readonly head: Uint8Array;
  /** Unix time of its last sign of life. */
  readonly touchedMs: number;
  /** The file is visible, and no part is left. */
  readonly finished: boolean;
}

/** Where a part lies in its file. */
export interface PartSpan {
  readonly fileOffset: number;
  readonly bytes: number;
}

export interface PartRow extends PartSpan {
  readonly stripe: StripeId;
  readonly sealed: Uint8Array;
}

const COLUMNS = 'id, owner, generation, salt, head, touched_ms, finished';

const STATEMENTS = {
  add: `INSERT INTO drafts (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 0)`,
  get: `SELECT ${COLUMNS} FROM drafts WHERE id = ?`,
  list: `SELECT ${COLUMNS} FROM drafts WHERE owner = ? AND finished = 0 ORDER BY touched_ms DESC, id`,
  count: 'SELECT count(*) AS drafts FROM drafts WHERE owner = ? AND finished = 0',
  stale: `SELECT ${COLUMNS} FROM drafts WHERE owner = ? AND finished = ? AND touched_ms < ? ORDER BY touched_ms`,
  touch: 'UPDATE drafts SET touched_ms = ? WHERE id = ?',
  finish: 'UPDATE drafts SET finished = 1, touched_ms = ? WHERE id = ?',
  // Those of one owner beyond the newest so many.
  prune: `DELETE FROM drafts WHERE owner = ?1 AND finished = 1 AND id NOT IN
        (SELECT id FROM drafts WHERE owner = ?1 AND finished = 1 ORDER BY touched_ms DESC LIMIT ?2)`,
  remove: 'DELETE FROM drafts WHERE id = ?',
  addPart: 'INSERT INTO parts (draft, file_offset, bytes, stripe, sealed) VALUES (?, ?, ?, ?, ?)',
  spans: 'SELECT file_offset, bytes FROM parts WHERE draft = ? ORDER BY file_offset',
  parts: `SELECT file_offset, bytes, stripe, sealed FROM parts WHERE draft = ? AND file_offset >= ?
        ORDER BY file_offset LIMIT ?`,
  lastParts: `SELECT file_offset, bytes, stripe, sealed FROM parts WHERE draft = ? AND file_offset >= ?
        ORDER BY file_offset DESC LIMIT ?`,
  removePart: 'DELETE FROM parts WHERE draft = ? AND file_offset = ?',
  removeParts: 'DELETE FROM parts WHERE draft = ?',
  stripes: 'SELECT stripe FROM parts',
} as const;

type Statements = Readonly<Record<keyof typeof STATEMENTS, Statement>>;

/** Which parts of files are stored that are not whole yet, on this machine's disk. What they are is sealed: see file/draft. */
export class DraftJournal implements AsyncDisposable {
  readonly #database: Database;
  readonly #sql: Statements;

  private constructor(database: Database) {
    this.#database = database;
    // The keys of what was given up have to be gone from the file, too.
    database.exec('PRAGMA secure_delete = ON');
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** Opens `drafts.sqlite` in `directory`, which is created when it is missing. */
  static async open(directory: string): Promise<DraftJournal> {
    try {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const schema = new URL('schema/drafts/', import.meta.url);
      const file = join(directory, 'drafts.sqlite');
      return new DraftJournal(await Database.open({ file, schema, name: 'The journal of uploads' }));
    } catch (error) {
      throw wrapError(error, `Opening the journal of uploads in ${directory}`);
    }
  }

  /** All that change something resolve when it would survive a power cut. */
  async add(row: Omit<DraftRow, 'finished'>): Promise<void> {
    const { id, owner, generation, salt, head, touchedMs } = row;
    await this.#database.write(() => this.#sql.add.run(idBytes(id), idBytes(owner), generation, salt, head, touchedMs));
  }

  get(id: string): DraftRow | undefined {
    const row = this.#sql.get.get(idBytes(id));
    return row === undefined ? undefined : draftOf(row);
  }

  /** Those that are not finished, the newest first. */
  list(owner: UserId): readonly DraftRow[] {
    return this.#sql.list.all(idBytes(owner)).map(draftOf);
  }

  /** How many are not finished. */
  count(owner: UserId): number {
    return integerOf(this.#sql.count.get(idBytes(owner)) ?? {}, 'drafts');
  }

  /** Those that gave no sign of life since. @param state whether they are finished */
  stale(owner: UserId, state: { readonly finished: boolean; readonly untilMs: number }): readonly DraftRow[] {
    return this.#sql.stale.all(idBytes(owner), Number(state.finished), state.untilMs).map(draftOf);
  }

  async addPart(draft: string, { fileOffset, bytes, stripe, sealed }: PartRow, nowMs: number): Promise<void> {
    const id = idBytes(draft);
    await this.#database.write(() => {
      this.#sql.addPart.run(id, fileOffset, bytes, idBytes(stripe), sealed);
      this.#sql.touch.run(nowMs, id);
    });
  }

  /** In the order of the file. */
  spans(draft: string): PartSpan[] {
    return this.#sql.spans.all(idBytes(draft)).map(spanOf);
  }

  /** Those from an offset on, `most` at once, in the order of the file; `last`: the last ones, the very last first. */
  parts(draft: string, range: { readonly from: number; readonly most: number; readonly last?: boolean }): PartRow[] {
    const statement = range.last === true ? this.#sql.lastParts : this.#sql.parts;
    return statement.all(idBytes(draft), range.from, range.most).map(partOf);
  }

  async removeParts(draft: string, fileOffsets: readonly number[]): Promise<void> {
    const id = idBytes(draft);
    await this.#database.write(() => {
      for (const fileOffset of fileOffsets) this.#sql.removePart.run(id, fileOffset);
    });
  }

  /** The file is visible. @param keep so many finished ones of the owner are remembered */
  async finish(
    id: string,
    options: { readonly owner: UserId; readonly nowMs: number; readonly keep: number },
  ): Promise<void> {
    await this.#database.write(() => {
      this.#sql.removeParts.run(idBytes(id));
      this.#sql.finish.run(options.nowMs, idBytes(id));
      this.#sql.prune.run(idBytes(options.owner), options.keep);
    });
  }

  /** With its parts. */
  async remove(ids: readonly string[]): Promise<void> {
    await this.#database.write(() => {
      for (const id of ids) this.#sql.remove.run(idBytes(id));
    });
  }

  /** Of all parts of all drafts. */
  stripes(): StripeId[] {
    return this.#sql.stripes.all().map((row) => parseStripeId(blobOf(row, 'stripe')));
  }

  close(): Promise<void> {
    return this.#database.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function draftOf(row: Row): DraftRow {
  return {
    id: toHex(blobOf(row, 'id')),
    owner: parseUserId(blobOf(row, 'owner')),
    generation: integerOf(row, 'generation'),
    salt: blobOf(row, 'salt'),
    head: blobOf(row, 'head'),
    touchedMs: integerOf(row, 'touched_ms'),
    finished: integerOf(row, 'finished') === 1,
  };
}

function spanOf(row: Row): PartSpan {
  return { fileOffset: integerOf(row, 'file_offset'), bytes: integerOf(row, 'bytes') };
}

function partOf(row: Row): PartRow {
  return { ...spanOf(row), stripe: parseStripeId(blobOf(row, 'stripe')), sealed: blobOf(row, 'sealed') };
}
