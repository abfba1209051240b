import { DB_PAGE_BYTES } from '../limits.js';

/** Cuts a list into runs of about DB_PAGE_BYTES, so that each fits a message; an empty list has none. */
export function* pages<T>(items: Iterable<T>, bytesOf: (item: T) => number): Generator<T[], void, undefined> {
  let page: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    if (page.length > 0 && bytes + size > DB_PAGE_BYTES) {
      yield page;
      page = [];
      bytes = 0;
    }
    page.push(item);
    bytes += size;
  }
  if (page.length > 0) yield page;
}
