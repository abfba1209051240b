import type { Catalog, Session } from '../../src/catalog/catalog.js';
import type { StripeId } from '../../src/chunk/ids.js';
import { assert } from '../../src/errors.js';
import type { Rate } from './result.js';
import { smallFile, type Samples } from './samples.js';

/** Files of one commit, as a put of a folder writes them. */
export const COMMIT_FILES = 1_000;
/** Commits under way at once. */
const AT_ONCE = 64;

/** An unlocked catalog, and the CPU time of whatever serves it. */
export interface Writing {
  readonly catalog: Catalog;
  readonly session: Session;
  readonly samples: Samples;
  readonly cpuSeconds: () => number;
  readonly signal: AbortSignal;
}

export async function rate(cpuSeconds: () => number, count: number, work: () => Promise<unknown>): Promise<Rate> {
  const cpuBefore = cpuSeconds();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  return { count, seconds, cpuSeconds: cpuSeconds() - cpuBefore };
}

/** Commits of one file each. @param atOnce how many wait for an answer at any time */
export async function writeSingly(
  writing: Writing,
  { folder, count, atOnce }: { readonly folder: string; readonly count: number; readonly atOnce: number },
): Promise<Rate> {
  const { catalog, session, samples, cpuSeconds, signal } = writing;
  const id = await stripeOf(samples);
  let next = 0;
  const writeOn = async (): Promise<void> => {
    while (next < count) {
      signal.throwIfAborted();
      const place = next++;
      await catalog.commit(session, [smallFile(nameOf(folder, place), id, place)]);
    }
  };
  await catalog.makeFolder(session, folder);
  return rate(cpuSeconds, count, () => Promise.all(Array.from({ length: atOnce }, writeOn)));
}

export function writeTogether(writing: Writing, folder: string, count: number): Promise<Rate> {
  return writeSingly(writing, { folder, count, atOnce: AT_ONCE });
}

async function stripeOf(samples: Samples): Promise<StripeId> {
  const [stripe] = await samples.stripes(1);
  assert(stripe !== undefined, 'a stripe');
  return stripe.id;
}

/** Each commit has a stripe of its own. @param folderOf for the number of a file; it is made when missing */
export async function writeBatched(
  writing: Writing,
  count: number,
  folderOf: (index: number) => string,
): Promise<Rate> {
  const { catalog, session, samples, cpuSeconds, signal } = writing;
  const stripes = await samples.stripes(Math.ceil(count / COMMIT_FILES));
  return rate(cpuSeconds, count, async () => {
    for (const [index, { id }] of stripes.entries()) {
      signal.throwIfAborted();
      const first = index * COMMIT_FILES;
      const files = Array.from({ length: Math.min(COMMIT_FILES, count - first) }, (_, place) =>
        smallFile(nameOf(folderOf(first + place), first + place), id, place),
      );
      await catalog.commit(session, files);
    }
  });
}

/** A length of name that people choose. */
function nameOf(folder: string, index: number): string {
  return `${folder}/photograph-${String(index).padStart(7, '0')}.jpg`;
}
