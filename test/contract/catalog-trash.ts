import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog, Entry, FreedStripe, Session } from '../../src/catalog/catalog.js';
import type { TreeSubject } from './catalog-samples.js';
import { fails } from './fails.js';

export function paths(entries: readonly Entry[]): string[] {
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
export function trashContract(subject: () => TreeSubject): void {
  test('a file that replaces another is its newest version, in one step', async () => {
    const { catalog, session, put } = subject();
    const [before, first, second] = [put('/replaced/text', 2), put('/replaced/text.tmp'), put('/replaced/text.tmp', 3)];
    for (const version of [before, first, second]) await catalog.commit(session, [version]);
    await fails(catalog.move(session, '/replaced/text.tmp', '/replaced/text'), 'ALREADY_EXISTS');
    await fails(catalog.move(session, '/replaced/text.tmp', '/replaced', { replace: true }), 'CONFLICT');
    await fails(catalog.move(session, '/replaced', '/replaced/text', { replace: true }), 'CONFLICT');
    await fails(catalog.move(session, '/replaced/none', '/replaced/text', { replace: true }), 'NOT_FOUND');
    await catalog.move(session, '/replaced/text', '/replaced/text', { replace: true });
    await catalog.move(session, '/replaced/text.tmp', '/replaced/text', { replace: true });
    assert.deepEqual(paths(await catalog.list(session, '/replaced')), ['/replaced/text']);
    const { file, bytes, extents } = await catalog.manifest(session, '/replaced/text');
    assert.deepEqual([file, bytes, extents.length], [before.manifest.file, 3000, 3]);
    const versions = await catalog.versions(session, '/replaced/text');
    assert.deepEqual(
      versions.map((version) => version.bytes),
      [3000, 1000, 2000],
    );
    await catalog.move(session, '/replaced/text', '/replaced/elsewhere', { replace: true });
    assert.deepEqual(paths(await catalog.list(session, '/replaced')), ['/replaced/elsewhere']);
    assert.equal((await catalog.deleted(session)).filter(({ path }) => path.startsWith('/replaced')).length, 0);
  });

  test('another time or mode takes the place of a version', async () => {
    const { catalog, session, put } = subject();
    const [before, newest] = [put('/dated/file'), put('/dated/file', 2)];
    for (const version of [before, newest]) await catalog.commit(session, [version]);
    const { mode } = newest.manifest;
    const entry = await catalog.setAttributes(session, '/dated/file', { modifiedMs: 77_000 });
    assert.deepEqual([entry.modifiedMs, entry.mode, entry.bytes], [77_000, mode, 2000]);
    assert.notEqual(entry.version, newest.manifest.version);
    assert.deepEqual(await catalog.stat(session, '/dated/file'), entry);
    assert.equal((await catalog.setAttributes(session, '/dated/file', { mode: 0o600 })).mode, 0o600);
    const same = await catalog.setAttributes(session, '/dated/file', { mode: 0o600, modifiedMs: 77_000 });
    assert.equal(same.version, (await catalog.stat(session, '/dated/file')).version);
    assert.deepEqual((await catalog.manifest(session, '/dated/file')).extents, newest.manifest.extents);
    const versions = await catalog.versions(session, '/dated/file');
    assert.deepEqual(
      versions.map(({ version, bytes }) => [version, bytes]),
      [
        [same.version, 2000],
        [before.manifest.version, 1000],
      ],
    );
    assert.equal((await catalog.setAttributes(session, '/dated', { modifiedMs: 1 })).type, 'folder');
    await fails(catalog.setAttributes(session, '/dated/none', { mode: 0 }), 'NOT_FOUND');
  });

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
