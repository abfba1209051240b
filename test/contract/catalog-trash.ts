import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog, Entry, FreedStripe, NewVersion, Session } from '../../src/catalog/catalog.js';
import { type ErrorCode, StorageError } from '../../src/errors.js';

export interface TrashSubject {
  readonly catalog: Catalog;
  readonly session: Session;
  readonly put: (path: string, extents?: number) => NewVersion;
}

function fails(work: Promise<unknown>, code: ErrorCode): Promise<void> {
  return assert.rejects(work, (error) => StorageError.is(error, code));
}

function paths(entries: readonly Entry[]): string[] {
  return entries.map(({ path }) => path);
}

/** Removes for ever, and carries that out. @returns what came free, as it lay */
export async function removeForever(
  catalog: Catalog,
  session: Session,
  path: string,
): Promise<{ readonly files: number; readonly freed: readonly FreedStripe[] }> {
  const { files } = await catalog.remove(session, path, { recursive: true, forever: true });
  const { due, waitingFor } = await catalog.dueRemovals(session);
  assert.deepEqual(waitingFor, []);
  const freed = new Set(
    await catalog.carryOutRemovals(
      session,
      due.map(({ node }) => node),
    ),
  );
  return { files, freed: due.flatMap(({ stripes }) => stripes.filter(({ stripe }) => freed.has(stripe))) };
}

/** Part of the contract of a Catalog: nothing that was removed or replaced is lost before it is removed for ever. */
export function trashContract(subject: () => TrashSubject): void {
  test('what is removed lies in the trash, comes back, and is removed for ever', async () => {
    const { catalog, session, put } = subject();
    const version = put('/bin/deep/file', 2);
    await catalog.commit(session, [version, put('/bin/deep/other')]);
    assert.deepEqual(await catalog.remove(session, '/bin', { recursive: true }), { files: 2 });
    await fails(catalog.stat(session, '/bin'), 'NOT_FOUND');
    const trashed = (await catalog.deleted(session)).filter(({ path }) => path === '/bin');
    assert.deepEqual(
      trashed.map(({ type, files, bytes }) => ({ type, files, bytes })),
      [{ type: 'folder', files: 2, bytes: 3000 }],
    );
    // One file out of it, then the rest beside what is there by now.
    assert.equal((await catalog.restore(session, '/bin/deep/file')).path, '/bin/deep/file');
    assert.deepEqual((await catalog.manifest(session, '/bin/deep/file')).version, version.manifest.version);
    assert.equal((await catalog.restore(session, '/bin')).path, '/bin (2)');
    assert.deepEqual(paths(await catalog.list(session, '/bin (2)', { recursive: true })), [
      '/bin (2)/deep',
      '/bin (2)/deep/other',
    ]);
    await fails(catalog.restore(session, '/bin'), 'ALREADY_EXISTS');
    await fails(catalog.restore(session, '/never'), 'NOT_FOUND');
    await catalog.remove(session, '/bin', { recursive: true });
    await catalog.remove(session, '/bin', { recursive: true, forever: true });
    await fails(catalog.restore(session, '/bin'), 'NOT_FOUND');
    await catalog.remove(session, '/bin (2)', { recursive: true });
    assert.equal((await catalog.emptyTrash(session, 0)).files, 0, 'younger than that');
    const emptied = await catalog.emptyTrash(session, Number.MAX_SAFE_INTEGER);
    assert.ok(emptied.files >= 1);
    assert.deepEqual(await catalog.deleted(session), []);
  });

  test('an old version becomes the newest again, and no version is lost', async () => {
    const { catalog, session, put } = subject();
    const [first, second] = [put('/restored/file'), put('/restored/file', 2)];
    await catalog.commit(session, [first]);
    await catalog.commit(session, [second]);
    const entry = await catalog.restore(session, '/restored/file', first.manifest.version);
    assert.equal(entry.bytes, 1000);
    assert.notEqual(entry.version, first.manifest.version);
    assert.equal((await catalog.versions(session, '/restored/file')).length, 3);
    const { extents } = await catalog.manifest(session, '/restored/file');
    assert.deepEqual(extents, first.manifest.extents);
    await fails(catalog.restore(session, '/restored/file', put('/x').manifest.version), 'NOT_FOUND');
  });
}
