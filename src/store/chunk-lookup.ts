import { idBytes, type ChunkId } from '../chunk/ids.js';
import { verifyShape, type ChunkShape } from '../chunk/segments.js';
import { blobOf, integerOf } from './columns.js';
import type { Statement } from './sqlite.js';

export interface IndexedChunk {
  readonly shape: ChunkShape;
  readonly label: Uint8Array;
  /** Absent when the bytes lie in a file. */
  readonly content?: Uint8Array;
}

const STATEMENTS = {
  find: `SELECT bytes, segment_bytes, hashes,
           (SELECT label FROM claims WHERE chunk = id ORDER BY owner LIMIT 1) AS label,
           (SELECT contents.bytes FROM contents WHERE chunk = id) AS content
         FROM chunks WHERE id = ?`,
  exists: 'SELECT bytes FROM chunks WHERE id = ?',
} as const;

/** A connection to the chunk index, of whoever writes it or of one that only reads. */
export interface Prepares {
  prepareAll<Name extends string>(statements: Readonly<Record<Name, string>>): Readonly<Record<Name, Statement>>;
}

/** What reading chunks asks of the index. */
export class ChunkLookup {
  readonly #sql: Readonly<Record<keyof typeof STATEMENTS, Statement>>;

  constructor(database: Prepares) {
    this.#sql = database.prepareAll(STATEMENTS);
  }

  /** @throws StorageError CORRUPT when the row does not match its id */
  find(id: ChunkId): IndexedChunk | undefined {
    const row = this.#sql.find.get(idBytes(id));
    if (row === undefined) return undefined;
    const shape = {
      bytes: integerOf(row, 'bytes'),
      segmentBytes: integerOf(row, 'segment_bytes'),
      hashes: blobOf(row, 'hashes'),
    };
    verifyShape(id, shape);
    // Without a claim there is no label, until a scrub finds one (src/healing); the bytes are good all the same.
    const found = { shape, label: row['label'] instanceof Uint8Array ? row['label'] : new Uint8Array() };
    return row['content'] instanceof Uint8Array ? { ...found, content: row['content'] } : found;
  }

  has(id: ChunkId): boolean {
    return this.#sql.exists.get(idBytes(id)) !== undefined;
  }
}
