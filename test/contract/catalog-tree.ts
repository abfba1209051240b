import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleExtent, sampleVersion, signedStripe, type TreeSubject } from './catalog-samples.js';
import { paths, removeForever } from './catalog-trash.js';
import { fails } from './fails.js';

/** Part of the contract of a Catalog: files and folders are moved and removed, and their names used again. */
export function treeContract(subject: () => TreeSubject): void {
  test('moving', async () => {
    const { catalog, session, put } = subject();
    const version = put('/move/from/a/file');
    await catalog.commit(session, [version, put('/move/other')]);
    await catalog.move(session, '/move/from/a', '/move/b');
    assert.deepEqual(paths(await catalog.list(session, '/move', { recursive: true })), [
      '/move/b',
      '/move/b/file',
      '/move/from',
      '/move/other',
    ]);
    assert.deepEqual(await catalog.manifest(session, '/move/b/file'), version.manifest);
    await fails(catalog.move(session, '/move/b', '/move/b/c'), 'INVALID_ARGUMENT');
    await fails(catalog.move(session, '/move/b', '/move/other'), 'ALREADY_EXISTS');
    await fails(catalog.move(session, '/move/b', '/'), 'ALREADY_EXISTS');
    await fails(catalog.move(session, '/move/none', '/move/x'), 'NOT_FOUND');
    await fails(catalog.move(session, '/move/b', '/move/none/x'), 'NOT_FOUND');
    await fails(catalog.move(session, '/move/b', '/move/other/x'), 'CONFLICT');
    await fails(catalog.move(session, '/', '/move/x'), 'INVALID_ARGUMENT');
    await catalog.move(session, '/move/b', '/move/b');
  });

  test('a name that was moved away can be used again, for a folder and for a file', async () => {
    const { catalog, session, put } = subject();
    const old = put('/again/a/file');
    await catalog.commit(session, [old]);
    await catalog.move(session, '/again/a', '/again/b');
    await catalog.commit(session, [put('/again/a/new')]);
    await catalog.move(session, '/again/b/file', '/again/file');
    // A put that had asked for the file's id before the file was moved.
    const late = { path: '/again/b/file', manifest: { ...put('/x').manifest, file: old.manifest.file } };
    await catalog.commit(session, [late]);
    assert.deepEqual(paths(await catalog.list(session, '/again', { recursive: true })), [
      '/again/a',
      '/again/a/new',
      '/again/b',
      '/again/b/file',
      '/again/file',
    ]);
    assert.equal((await catalog.manifest(session, '/again/file')).version, old.manifest.version);
  });

  test('removing gives back what nothing refers to any more', async () => {
    const { catalog, session } = subject();
    const shared = await signedStripe(catalog, session);
    const own = await signedStripe(catalog, session);
    await catalog.putStripes([shared, own]);
    const both = sampleVersion('/remove/both', [sampleExtent(shared.id), sampleExtent(own.id)]);
    await catalog.commit(session, [both, sampleVersion('/remove/one', [sampleExtent(shared.id)])]);
    await fails(catalog.remove(session, '/remove'), 'CONFLICT');
    await fails(catalog.remove(session, '/remove/none'), 'NOT_FOUND');
    await fails(catalog.remove(session, '/', { recursive: true }), 'INVALID_ARGUMENT');

    const held = own.chunks.flatMap((id, index) => {
      const peer = own.placement[index]?.peer;
      return peer === undefined ? [] : [{ id, peer }];
    });
    const first = await removeForever(catalog, session, '/remove/both');
    assert.deepEqual(first, { files: 1, freed: [{ stripe: own.id, chunks: held }] });
    await fails(catalog.stat(session, '/remove/both'), 'NOT_FOUND');

    await catalog.commit(session, [sampleVersion('/remove/deep/x')]);
    const rest = await removeForever(catalog, session, '/remove');
    assert.equal(rest.files, 2);
    assert.deepEqual(
      rest.freed.map((freed) => freed.stripe),
      [shared.id],
    );
    await fails(catalog.stat(session, '/remove'), 'NOT_FOUND');

    await catalog.commit(session, [sampleVersion('/remove/both')]);
    assert.deepEqual(paths(await catalog.list(session, '/remove', { recursive: true })), ['/remove/both']);
    assert.equal((await catalog.versions(session, '/remove/both')).length, 1);
    await fails(catalog.commit(session, [{ ...both, path: '/remove/both2' }]), 'ALREADY_EXISTS', 'INVALID_ARGUMENT');
  });

  test('an empty folder is removed without asking twice', async () => {
    const { catalog, session, put } = subject();
    await catalog.makeFolder(session, '/hollow/folder');
    assert.deepEqual(await catalog.remove(session, '/hollow/folder'), { files: 0 });
    await catalog.makeFolder(session, '/hollow/folder');
    await catalog.makeFolder(session, '/hollow/folder');
    assert.deepEqual(paths(await catalog.list(session, '/hollow')), ['/hollow/folder']);
    await catalog.commit(session, [put('/hollow/file')]);
    await fails(catalog.makeFolder(session, '/hollow/file'), 'CONFLICT');
  });
}
