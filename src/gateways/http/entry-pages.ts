import type { Entry } from '../../catalog/catalog.js';

export interface Page {
  readonly offset: number;
  /** Absent: all. */
  readonly limit?: number | undefined;
  /** Absent: as the catalog has them, by name. */
  readonly order?: 'name' | 'bytes' | 'modified' | undefined;
  readonly descending: boolean;
}

/** As people sort names: "2.txt" before "10.txt", and no matter whether letters are large. */
const NAMES = new Intl.Collator('en', { numeric: true });

/** A part of a list; with an order folders come first. */
export function pageOf(entries: readonly Entry[], { offset, limit, order, descending }: Page): readonly Entry[] {
  const sorted = order === undefined ? entries : [...entries].sort(comparison(order, descending ? -1 : 1));
  return sorted.slice(offset, limit === undefined ? undefined : offset + limit);
}

function comparison(order: NonNullable<Page['order']>, sign: 1 | -1): (a: Entry, b: Entry) => number {
  const value = (entry: Entry): number => (order === 'bytes' ? entry.bytes : entry.modifiedMs);
  return (a, b) => {
    if (a.type !== b.type) return a.type === 'folder' ? -1 : 1;
    const byValue = order === 'name' ? 0 : value(a) - value(b);
    return sign * (byValue !== 0 ? byValue : NAMES.compare(a.path, b.path));
  };
}

/** Those whose names have all words of `text` in them, however their letters are written. */
export function matching(entries: readonly Entry[], text: string, limit: number): Entry[] {
  const words = plain(text).split(/\s+/);
  const found: Entry[] = [];
  for (const entry of entries) {
    const name = plain(entry.path.slice(entry.path.lastIndexOf('/') + 1));
    if (!words.every((word) => name.includes(word))) continue;
    found.push(entry);
    if (found.length >= limit) break;
  }
  return found;
}

/** Without case, and with accents as letters of their own or not, as either was typed. */
function plain(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase().trim();
}
