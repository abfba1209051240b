import { READ_CONCURRENCY } from '../limits.js';
import type { LevelDatabase } from './level-database.js';
import { type GetOptions, type OpenRevision, statusOf } from './pouch.js';

type ReadOptions = Pick<GetOptions, 'revs' | 'latest'>;

/** Reads these revisions of a document in groups: PouchDB would read them all at the same time. */
export async function readTexts(
  database: LevelDatabase,
  { id, revs }: { readonly id: string; readonly revs: readonly string[] },
  options: ReadOptions = {},
): Promise<readonly OpenRevision[]> {
  const texts: OpenRevision[] = [];
  for (let at = 0; at < revs.length; at += READ_CONCURRENCY) {
    const open_revs = revs.slice(at, at + READ_CONCURRENCY);
    const group = await database.read('Reading the catalog', async (pouch) => {
      try {
        return await pouch.get(id, { ...options, open_revs });
      } catch (error) {
        if (statusOf(error) === 404) return [];
        throw error;
      }
    });
    texts.push(...group);
  }
  return texts;
}

/**
 * All ends of a document's revision tree, deleted ones too.
 *
 * @returns none for an unknown id, and where the document's description is damaged: see LevelDatabase.damageCount
 */
export async function readLeaves(
  database: LevelDatabase,
  id: string,
  options: ReadOptions = {},
): Promise<readonly OpenRevision[]> {
  return readTexts(database, { id, revs: await database.leaves(id) }, options);
}
