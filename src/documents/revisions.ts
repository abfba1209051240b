import type { Revision } from './pouch.js';

/** The revisions that these leaves, read with `revs`, were made from. Whether their texts are still there is not said. */
export function olderRevisions(leaves: readonly Revision[]): string[] {
  const older = new Set<string>();
  for (const { _revisions } of leaves) {
    _revisions?.ids.forEach((hash, age) => {
      if (age > 0) older.add(`${String(_revisions.start - age)}-${hash}`);
    });
  }
  for (const { _rev } of leaves) older.delete(_rev);
  return [...older];
}
