import { Numbers } from '../numbers.js';
import { drawBytes } from './content.js';
import type { Stock } from './stock.js';

/**
 * `look` is for something where it was removed, or renamed; `bundle` puts small files together; `compact` removes most of such
 * a bundle, and has what is left of it stored anew; `empty` is for the trash, where something is put while there is no room.
 */
export type OperationKind = 'put' | 'bundle' | 'overwrite' | 'get' | 'look' | 'rename' | 'remove' | 'compact' | 'empty';

/** One turn of a writer, drawn before anything happens: it follows from seed, writer and number alone. */
export interface Operation {
  readonly index: number;
  readonly kind: OperationKind;
  /** Of the content, when it writes any. */
  readonly bytes: number;
  /** Which of the paths in question then: this, modulo their number. */
  readonly choice: number;
  /** Removed past the trash. */
  readonly forever: boolean;
  /** Before it. */
  readonly pauseMs: number;
}

/** In a hundred turns. */
const TURNS: readonly (readonly [OperationKind, number])[] = [
  ['put', 34],
  ['bundle', 4],
  ['get', 31],
  ['look', 5],
  ['rename', 9],
  ['overwrite', 7],
  ['remove', 7],
  ['compact', 3],
];
const MAX_PAUSE_MS = 300;
const CHOICES = 2 ** 30;

export function drawOperation(seed: number, writer: string, index: number): Operation {
  const numbers = new Numbers(seed, `load ${writer} ${String(index)}`);
  let turn = numbers.below(100);
  const [kind] = TURNS.find(([, share]) => (turn -= share) < 0) ?? ['get'];
  return {
    index,
    kind,
    bytes: drawBytes(numbers),
    choice: numbers.below(CHOICES),
    forever: numbers.below(2) === 0,
    pauseMs: numbers.below(MAX_PAUSE_MS),
  };
}

/** What a writer can work with, in files. */
interface Possible {
  readonly stock: Pick<Stock, 'isFull' | 'hasMuchTrash'>;
  readonly files: number;
  readonly gone: number;
  readonly bundled: number;
}

/** There may be nothing yet to read or move. Where there is no room, it is made: what is written stays as much as it is. */
export function possible(kind: OperationKind, { stock, files, gone, bundled }: Possible): OperationKind {
  if (files === 0) return 'put';
  if (kind === 'look' && gone === 0) return 'get';
  const wished = kind === 'compact' && bundled === 0 ? 'bundle' : kind;
  const isWrite = wished === 'put' || wished === 'bundle' || wished === 'overwrite';
  if (!isWrite || !stock.isFull) return wished;
  return stock.hasMuchTrash ? 'empty' : 'remove';
}
