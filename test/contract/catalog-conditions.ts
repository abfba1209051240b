import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StorageError } from '../../src/errors.js';
import type { TreeSubject } from './catalog-samples.js';

function fails(work: Promise<unknown>): Promise<void> {
  return assert.rejects(work, (error) => StorageError.is(error, 'PRECONDITION_FAILED'));
}

/** Part of the contract of a Catalog: writers that have seen the same version do not overwrite each other. */
export function conditionsContract(subject: () => TreeSubject): void {
  test('a version becomes visible only over what it is to be over, and of two at once over the same one', async () => {
    const { catalog, session, put } = subject();
    const first = put('/only-if/file');
    const nothing = { among: true, versions: [null] };
    await catalog.commit(session, [{ ...first, onlyIf: [nothing] }]);
    await catalog.commit(session, [{ ...first, onlyIf: [nothing] }]);
    await fails(catalog.commit(session, [{ ...put('/only-if/file'), onlyIf: [nothing] }]));
    const over = { among: true, versions: [first.manifest.version] };
    const other = put('/only-if/file').manifest.version;
    await fails(catalog.commit(session, [{ ...put('/only-if/none'), onlyIf: [over] }]));
    for (const refused of [
      [{ among: true, versions: [] }],
      [{ among: true, versions: [other] }],
      [{ among: false, versions: [null, first.manifest.version] }],
      [over, nothing],
    ]) {
      await fails(catalog.commit(session, [{ ...put('/only-if/file'), onlyIf: refused }]));
    }
    await catalog.makeFolder(session, '/only-if/folder');
    await fails(catalog.commit(session, [{ ...put('/only-if/folder'), onlyIf: [nothing] }]));
    const another = catalog.commit(session, [
      { ...put('/only-if/folder'), onlyIf: [{ among: false, versions: [other] }] },
    ]);
    await assert.rejects(another, { code: 'CONFLICT' });
    const [one, two] = [put('/only-if/file'), put('/only-if/file')];
    const both = await Promise.allSettled([one, two].map((v) => catalog.commit(session, [{ ...v, onlyIf: [over] }])));
    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    assert.equal((await catalog.versions(session, '/only-if/file')).length, 2);
    const some = { among: false, versions: [null] };
    await catalog.commit(session, [{ ...put('/only-if/file'), onlyIf: [some, { among: false, versions: [other] }] }]);
    assert.equal((await catalog.versions(session, '/only-if/file')).length, 3);
  });
}
