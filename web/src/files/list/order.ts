import type { EntryReply } from '../../api/types.js';
import { nameOf } from '../paths.js';

export type OrderKey = 'name' | 'bytes' | 'modified';

export interface Order {
  readonly key: OrderKey;
  readonly descending: boolean;
}

/** "IMG 2" before "IMG 10", and "é" beside "e". */
const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** Folders first; equal ones by name. */
export function inOrder(entries: readonly EntryReply[], { key, descending }: Order): readonly EntryReply[] {
  const sign = descending ? -1 : 1;
  const named = entries.map((entry) => ({ entry, name: nameOf(entry.path) }));
  const byName = (a: { name: string }, b: { name: string }) =>
    collator.compare(a.name, b.name) || compare(a.name, b.name);
  return named
    .sort((a, b) => {
      if (a.entry.type !== b.entry.type) return a.entry.type === 'folder' ? -1 : 1;
      const first = key === 'name' ? 0 : compare(a.entry[key], b.entry[key]);
      return sign * (first === 0 ? byName(a, b) : first);
    })
    .map(({ entry }) => entry);
}

/** Of the header that was clicked: the same one turns round; another begins with what people look for there. */
export function nextOrder(order: Order, key: OrderKey): Order {
  return order.key === key ? { key, descending: !order.descending } : { key, descending: key !== 'name' };
}

function compare<T extends string | number>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
