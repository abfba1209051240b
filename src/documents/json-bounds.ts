import { StorageError } from '../errors.js';
import { MAX_JSON_DEPTH, MAX_JSON_VALUES } from '../limits.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Looks at JSON before it is parsed: a body of a few MiB may hold millions of arrays, each of which takes fifty times its
 * two bytes in memory, or so many levels that whoever walks the value exhausts the stack. Other mistakes are the parser's.
 *
 * @throws StorageError LIMIT_EXCEEDED
 */
export function checkJsonBounds(text: Uint8Array): void {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const byte = text[at];
    if (byte === QUOTE) at = endOfString(text, at + 1);
    else if (byte === COMMA) values++;
    else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
      values++;
      depth++;
    } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) depth--;
    if (depth > MAX_JSON_DEPTH) {
      throw new StorageError('LIMIT_EXCEEDED', `JSON of more than ${String(MAX_JSON_DEPTH)} levels is not taken.`);
    }
  }
  if (values > MAX_JSON_VALUES) {
    throw new StorageError('LIMIT_EXCEEDED', `JSON of more than ${String(MAX_JSON_VALUES)} values is not taken.`);
  }
}

/** @returns the index of the closing quote, or the end of the text */
function endOfString(text: Uint8Array, from: number): number {
  for (let at = text.indexOf(QUOTE, from); at !== -1; at = text.indexOf(QUOTE, at + 1)) {
    let backslashes = 0;
    while (text[at - 1 - backslashes] === BACKSLASH) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}

/** Whether a value that is in memory has no more levels than a body may have. */
export function isShallow(value: unknown, levels = MAX_JSON_DEPTH): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  return Object.values(value).every((each) => isShallow(each, levels - 1));
}
