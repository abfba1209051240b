import type { IncomingRevision } from './pouch.js';

/** The revisions that these leaves, read with `revs`, were made from. Whether their texts are still there is not said. */
export function olderRevisions(leaves: readonly IncomingRevision[]): string[] {
  const older = new Set<string>();
  for (const { _revisions } of leaves) {
    _revisions?.ids.forEach((hash, age) => {
      if (age > 0) older.add(`${String(_revisions.start - age)}-${hash}`);
    });
  }
  for (const { _rev } of leaves) if (_rev !== undefined) older.delete(_rev);
  return [...older];
}
