import type { ExtentRef, NewVersion, Session } from '../../catalog/catalog.js';
import type { StripeId } from '../../chunk/ids.js';
import { assert, StorageError } from '../../errors.js';
import { DRAFT_PAGE } from '../../limits.js';
import type { Engine } from '../engine.js';
import type { PutResult } from '../put-file.js';
import type { OpenDraft } from './open-draft.js';

interface Gathered {
  readonly extents: readonly ExtentRef[];
  readonly stripes: readonly StripeId[];
  readonly missingChunks: number;
}

/**
 * Makes a draft that is whole a visible version of its file. It may run again, after a power cut too: a version that is
 * visible already is not made anew.
 *
 * @throws StorageError as Catalog.commit; ALREADY_EXISTS for a path that must be free; CORRUPT. The draft stays
 */
export async function finishDraft(engine: Engine, session: Session, draft: OpenDraft): Promise<PutResult> {
  assert(draft.isWhole, 'a draft that lacks nothing');
  const { catalog } = engine;
  const { path, file, version, bytes, modifiedMs, mode } = draft.head;
  const isKnown = (await catalog.knownVersions(session, [version])).has(version);
  if (!isKnown) await demandFree(engine, session, draft);
  const { extents, stripes, missingChunks } = await gather(engine, draft, { register: !isKnown });
  if (!isKnown) {
    await commit(engine, session, draft, { path, manifest: { file, version, bytes, modifiedMs, mode, extents } });
    // A put counts its drafts itself.
    if (draft.head.origin.kind === 'remote') engine.telemetry.counts.put.done++;
  }
  await settle(engine, session, draft, stripes);
  return { version, bytes, stripes: stripes.length, missingChunks };
}

/** Whoever comes first gets a path that must be free. */
async function commit(engine: Engine, session: Session, draft: OpenDraft, version: NewVersion): Promise<void> {
  const onlyIf = mustBeFree(draft) ? [{ among: true, versions: [null] }] : undefined;
  try {
    await engine.catalog.commit(session, [{ ...version, onlyIf }]);
  } catch (error) {
    throw StorageError.is(error, 'PRECONDITION_FAILED') ? taken(draft.head.path) : error;
  }
}

function mustBeFree({ head: { origin } }: OpenDraft): boolean {
  return origin.kind === 'remote' && !origin.overwrite;
}

async function demandFree({ catalog }: Engine, session: Session, draft: OpenDraft): Promise<void> {
  if (!mustBeFree(draft)) return;
  const { path } = draft.head;
  const [there] = await catalog.fileIds(session, [path]);
  if (there !== undefined) throw taken(path);
}

function taken(path: string): StorageError {
  return new StorageError('ALREADY_EXISTS', `There is something at ${path} already.`);
}

/** Reads all parts. @param options register: the catalog learns of their stripes */
async function gather(
  { catalog }: Engine,
  draft: OpenDraft,
  { register }: { readonly register: boolean },
): Promise<Gathered> {
  const extents: ExtentRef[] = [];
  const stripes: StripeId[] = [];
  let missingChunks = 0;
  for (let from = 0; from < draft.head.bytes;) {
    const parts = draft.rows({ from, most: DRAFT_PAGE }).map((row) => draft.open(row));
    assert(parts.length > 0, 'a draft without gaps');
    const records = parts.map(({ stripe }) => stripe);
    if (register) await catalog.putStripes(records);
    for (const { fileOffset, extent, stripe } of parts) {
      extents.push(extent);
      stripes.push(stripe.id);
      missingChunks += stripe.placement.filter((place) => place === undefined).length;
      from = fileOffset + extent.bytes;
    }
  }
  return { extents, stripes, missingChunks };
}

/** A file refers to the stripes now: the draft is done, and holds nothing back. */
async function settle(
  { drafts, outbox, pinned }: Engine,
  session: Session,
  draft: OpenDraft,
  stripes: readonly StripeId[],
): Promise<void> {
  // Whoever sends the bytes may have lost the answer, and asks.
  if (draft.head.origin.kind === 'remote') await drafts.finish(session, draft.id);
  else await draft.remove();
  outbox.settle(stripes);
  for (const stripe of stripes) pinned.delete(stripe);
  await outbox.flush();
}
