import type { ItemState } from './item.js';

interface Identity {
  readonly path: string;
  readonly bytes: number;
  readonly modified: number;
}

/** What tells one state of a file from another without reading it. */
export function identityOf({ path, bytes, modified }: Identity): string {
  return `${String(bytes)} ${String(modified)} ${path}`;
}

export interface Matched<Item, Given> {
  /** Files that an interrupted queue has been waiting for. */
  readonly found: readonly (readonly [item: Item, given: Given])[];
  readonly added: readonly Given[];
}

/**
 * Somebody gives files. Those that the queue misses go on where they stopped; when there are such, the files are those of an
 * earlier drop given again, and what that has stored already is not stored once more.
 */
export function matchGiven<Item extends Identity & { readonly state: ItemState }, Given extends Identity>(
  items: readonly Item[],
  given: readonly Given[],
): Matched<Item, Given> {
  const missing = new Map(items.filter(({ state }) => state === 'missing').map((item) => [identityOf(item), item]));
  const done = new Set(items.filter(({ state }) => state === 'done').map(identityOf));
  const found = given.flatMap((one) => {
    const item = missing.get(identityOf(one));
    return item === undefined ? [] : [[item, one] as const];
  });
  const again = found.length > 0;
  const added = given.filter((one) => !missing.has(identityOf(one)) && !(again && done.has(identityOf(one))));
  return { found, added };
}
