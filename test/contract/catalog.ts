import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { Catalog, NewVersion, Session, StripeRecord } from '../../src/catalog/catalog.js';
import type { Membership } from '../../src/catalog/records/membership.js';
import { parsePeerId } from '../../src/chunk/ids.js';
import { openSigned } from '../../src/chunk/signed.js';
import { StorageError } from '../../src/errors.js';
import { compactionContract } from './catalog-compaction.js';
import { conditionsContract } from './catalog-conditions.js';
import { catalogSecrets } from './catalog-secrets.js';
import { sampleExtent, sampleStripe, sampleVersion, signedStripe } from './catalog-samples.js';
import { catalogStripes } from './catalog-stripes.js';
import { paths, removeForever, trashContract } from './catalog-trash.js';
import { treeContract } from './catalog-tree.js';
import { fails } from './fails.js';
import { profileOf } from './sample-network.js';

/** A catalog and what it needs to be used. */
export interface CatalogSubject {
  readonly catalog: Catalog;
  /** Of its peer, which has the authority's key. */
  readonly membership: Membership;
  /** Closes everything and opens it anew over the same disk. */
  reopen(): Promise<Catalog>;
  /** Frees everything, the disk included. */
  close(): Promise<void>;
}

const PASSPHRASE = 'correct horse battery staple';

/** What every Catalog does. The tests share one unlocked user, each under a folder of its own: unlocking is slow on purpose. */
export function catalogContract(name: string, open: () => Promise<CatalogSubject>): void {
  describe(name, () => {
    let subject: CatalogSubject;
    let catalog: Catalog;
    let session: Session;
    let stripe: StripeRecord;

    const put = (path: string, count = 1): NewVersion =>
      sampleVersion(
        path,
        Array.from({ length: count }, () => sampleExtent(stripe.id)),
      );

    before(async () => {
      subject = await open();
      ({ catalog } = subject);
      await catalog.createUser('demo', PASSPHRASE);
      session = await catalog.unlock('demo', PASSPHRASE);
      stripe = await signedStripe(catalog, session);
      await catalog.putStripes([stripe]);
    });

    after(() => subject.close());

    test('a network and its peers', async () => {
      const { membership } = subject;
      await fails(catalog.network(), 'NOT_FOUND');
      const { network: id, authority, peer: self } = membership;
      const network = { id, name: 'home', authority, authorities: [self] };
      await catalog.setNetwork({ name: 'home' });
      assert.deepEqual(await catalog.network(), network);
      await catalog.setNetwork({ name: 'home', tolerate: 2 });
      assert.deepEqual(await catalog.network(), { ...network, tolerate: 2 });

      const peer = profileOf(membership);
      await fails(catalog.setPeerState(peer.id, 'draining'), 'NOT_FOUND');
      await catalog.setPeer(peer);
      assert.deepEqual(await catalog.peers(), [{ ...peer, state: 'member' }]);
      await catalog.setPeerState(peer.id, 'draining');
      await catalog.setPeer({ ...peer, address: 'attic.example:4433', backup: true });
      assert.deepEqual(await catalog.peers(), [
        { ...peer, address: 'attic.example:4433', backup: true, state: 'draining' },
      ]);
      await fails(catalog.setPeer({ ...peer, id: parsePeerId(randomBytes(32)) }), 'PERMISSION_DENIED');
      await fails(catalog.setPeer({ ...peer, name: 'at\u0000tic' }), 'INVALID_ARGUMENT');
      assert.deepEqual(await catalog.problems(), []);
    });

    test('a user is at home where it was unlocked, until it leaves', async () => {
      const { peer } = subject.membership;
      assert.deepEqual(await catalog.homes(), [{ user: session.user, peer }]);
      await catalog.leaveHome(session, peer);
      assert.deepEqual(await catalog.homes(), []);
      await catalog.leaveHome(session, peer);
      await catalog.lock(await catalog.unlock('demo', PASSPHRASE));
      assert.deepEqual(await catalog.homes(), [{ user: session.user, peer }]);
      await fails(catalog.leaveHome({ token: 'x' }, peer), 'LOCKED');
    });

    test('users: names, passphrases, what is refused', async () => {
      assert.deepEqual(await catalog.users(), [
        { id: session.user, name: 'demo', unlocked: true, generation: 1, kit: false },
      ]);
      await fails(catalog.createUser('demo', 'other'), 'ALREADY_EXISTS');
      for (const bad of ['', 'Demo', 'a b', 'a/b', 'ü', 'x'.repeat(65)]) {
        await fails(catalog.createUser(bad, 'pass'), 'INVALID_ARGUMENT');
      }
      await fails(catalog.createUser('empty', ''), 'INVALID_ARGUMENT');
      const messages = await Promise.all(
        [catalog.unlock('demo', 'wrong'), catalog.unlock('nobody', PASSPHRASE)].map((attempt) =>
          attempt.then(
            () => 'unlocked',
            (error: unknown) => (StorageError.is(error, 'UNAUTHENTICATED') ? error.message : String(error)),
          ),
        ),
      );
      assert.equal(messages[0], messages[1]);
      assert.match(messages[0] ?? '', /passphrase/);
    });

    test('an exported user is imported once, and unaltered', async () => {
      const document = await catalog.exportUser('demo');
      await fails(catalog.exportUser('nobody'), 'NOT_FOUND');
      assert.equal((await catalog.importUser(document)).id, session.user);
      assert.equal((await catalog.users()).length, 1);
      const altered = Uint8Array.from(document);
      altered[40] = (altered[40] ?? 0) ^ 1;
      await fails(catalog.importUser(altered), 'PERMISSION_DENIED', 'CORRUPT', 'INVALID_ARGUMENT');
      await fails(catalog.importUser(new Uint8Array(10_000)), 'LIMIT_EXCEEDED');
    });

    conditionsContract(() => ({ catalog, session, put }));

    test('signatures and directory keys belong to the user', async () => {
      const body = Uint8Array.from(randomBytes(64));
      const signed = await catalog.sign(session, 'grant', body);
      const read = { what: 'grant', maxBytes: 1000, decode: (bytes: Uint8Array) => ({ owner: session.user, bytes }) };
      assert.deepEqual(openSigned('grant', read, signed).bytes, body);
      assert.throws(() => openSigned('delete', read, signed), /signature/);
      const salt = randomBytes(32);
      const key = await catalog.directoryKey(session, salt);
      assert.equal(key.length, 32);
      assert.deepEqual(await catalog.directoryKey(session, salt), key);
      assert.notDeepEqual(await catalog.directoryKey(session, randomBytes(32)), key);
      await fails(catalog.directoryKey(session, randomBytes(31)), 'INVALID_ARGUMENT');
    });

    test('a committed file is found, with its folders and its manifest', async () => {
      const version = put('/found/deep/er/cat.jpg', 3);
      await catalog.commit(session, [version]);
      const entry = await catalog.stat(session, '/found/deep/er/cat.jpg');
      const { manifest } = version;
      assert.deepEqual(entry, {
        path: '/found/deep/er/cat.jpg',
        type: 'file',
        bytes: 3000,
        modifiedMs: manifest.modifiedMs,
        mode: 0o640,
        version: manifest.version,
      });
      assert.deepEqual(await catalog.manifest(session, entry.path), manifest);
      assert.deepEqual(await catalog.manifests(session, ['/nowhere', entry.path, '/found']), [
        undefined,
        manifest,
        undefined,
      ]);
      assert.deepEqual(await catalog.fileIds(session, ['/nowhere/x', entry.path]), [undefined, manifest.file]);
      await fails(catalog.fileIds(session, ['/found/deep']), 'CONFLICT');
      assert.equal((await catalog.stat(session, '/')).type, 'folder');
      const folder = await catalog.stat(session, '/found/deep/');
      assert.equal(folder.type, 'folder');
      assert.equal(folder.version, undefined);
      assert.ok(folder.modifiedMs > 0);
      await fails(catalog.stat(session, '/found/dog'), 'NOT_FOUND');
      await fails(catalog.manifest(session, '/found'), 'CONFLICT');
    });

    test('an empty file, and one committed twice because the answer was lost', async () => {
      const empty = sampleVersion('/empty/nothing');
      await catalog.commit(session, [empty]);
      await catalog.commit(session, [empty]);
      assert.equal((await catalog.versions(session, '/empty/nothing')).length, 1);
      assert.deepEqual(await catalog.manifest(session, '/empty/nothing'), empty.manifest);
    });

    test('versions are known wherever they lie, and when they are removed; a time of put that is told is kept', async () => {
      const early = { ...put('/known/early'), createdMs: 1_600_000_000_000 };
      const gone = put('/known/gone');
      const never = put('/known/never').manifest.version;
      await catalog.commit(session, [early, gone]);
      await catalog.move(session, '/known/early', '/known/moved');
      await catalog.remove(session, '/known/gone', { forever: true });
      const [one, two] = [early.manifest.version, gone.manifest.version];
      assert.deepEqual(await catalog.knownVersions(session, [never, two, one]), new Set([two, one]));
      assert.deepEqual(await catalog.knownVersions(session, []), new Set());
      const [summary] = await catalog.versions(session, '/known/moved');
      assert.equal(summary?.createdMs, early.createdMs);
    });

    test('what is brought in behind what was put later becomes its older version', async () => {
      const at = (createdMs: number): NewVersion => ({ ...put('/behind/file'), createdMs });
      const [later, ...olds] = [at(3_000), at(1_000), at(2_000)];
      const newer = at(4_000);
      const behind = (version: NewVersion): NewVersion => ({ ...version, behindLater: true });
      await catalog.commit(session, [later]);
      await catalog.commit(session, [...olds, put('/behind/other')].map(behind));
      const times = async (): Promise<number[]> =>
        (await catalog.versions(session, '/behind/file')).map(({ createdMs }) => createdMs);
      assert.deepEqual(await times(), [3_000, 2_000, 1_000, 3_000]);
      const { file } = later.manifest;
      const newest = await catalog.manifest(session, '/behind/file');
      assert.notEqual(newest.version, later.manifest.version);
      assert.deepEqual(newest, { ...later.manifest, file, version: newest.version });
      await catalog.commit(session, [behind(newer)]);
      assert.deepEqual(await times(), [4_000, 3_000, 2_000, 1_000, 3_000]);
    });

    test('a file put over a file is its newest version and keeps its id', async () => {
      const first = put('/over/file');
      const second = put('/over/file', 2);
      await catalog.commit(session, [first]);
      await catalog.commit(session, [second]);
      const versions = await catalog.versions(session, '/over/file');
      assert.deepEqual(
        versions.map(({ version, bytes, current }) => ({ version, bytes, current })),
        [
          { version: second.manifest.version, bytes: 2000, current: true },
          { version: first.manifest.version, bytes: 1000, current: false },
        ],
      );
      const { file } = first.manifest;
      assert.deepEqual(await catalog.manifest(session, '/over/file'), { ...second.manifest, file });
      assert.deepEqual(await catalog.manifest(session, '/over/file', first.manifest.version), first.manifest);
      await fails(catalog.manifest(session, '/over/file', put('/x').manifest.version), 'NOT_FOUND');
    });

    test('two versions of one new path in one commit', async () => {
      const versions = [put('/twice/file'), put('/twice/file'), put('/twice/other')];
      await catalog.commit(session, versions);
      assert.equal((await catalog.versions(session, '/twice/file')).length, 2);
      assert.equal((await catalog.stat(session, '/twice/file')).version, versions[1]?.manifest.version);
    });

    test('a commit is all or nothing', async () => {
      await catalog.makeFolder(session, '/all/folder');
      await catalog.commit(session, [put('/all/file')]);
      await fails(catalog.commit(session, [put('/all/new'), put('/all/folder')]), 'CONFLICT');
      await fails(catalog.commit(session, [put('/all/new'), put('/all/file/below')]), 'CONFLICT');
      await fails(catalog.commit(session, [put('/all/new'), put('/')]), 'CONFLICT');
      const unknown = sampleVersion('/all/x', [sampleExtent(sampleStripe(session.user).id)]);
      await fails(catalog.commit(session, [put('/all/new'), unknown]), 'INVALID_ARGUMENT');
      const wrong = put('/all/x');
      const short = { ...wrong, manifest: { ...wrong.manifest, bytes: 999 } };
      await fails(catalog.commit(session, [put('/all/new'), short]), 'INVALID_ARGUMENT');
      await catalog.commit(session, []);
      assert.deepEqual(paths(await catalog.list(session, '/all')), ['/all/file', '/all/folder']);
    });

    test('bad paths are refused by every method', async () => {
      for (const bad of ['', 'a', '/a/../b', '/a//b', '/./a', '/a\n', '/\u2028', '/\ud800', `/${'x'.repeat(256)}`]) {
        await fails(catalog.stat(session, bad), 'INVALID_ARGUMENT');
        await fails(catalog.commit(session, [put(bad)]), 'INVALID_ARGUMENT');
        await fails(catalog.makeFolder(session, bad), 'INVALID_ARGUMENT');
        await fails(catalog.move(session, '/', bad), 'INVALID_ARGUMENT');
      }
    });

    test('listings are in order of name, parents first, and cover thousands', async () => {
      const many = Array.from({ length: 3000 }, (_, index) => put(`/many/${String(index % 7)}/${String(index)}`));
      await catalog.commit(session, many);
      const folders = await catalog.list(session, '/many');
      assert.deepEqual(
        paths(folders),
        ['0', '1', '2', '3', '4', '5', '6'].map((folder) => `/many/${folder}`),
      );
      const all = await catalog.list(session, '/many', { recursive: true });
      assert.equal(all.length, 3007);
      assert.deepEqual(paths(all), paths(all).sort());
      const file = many[42]?.path ?? '';
      assert.deepEqual(paths(await catalog.list(session, file)), [file]);
      const manifests = await catalog.manifests(
        session,
        many.map(({ path }) => path),
      );
      assert.deepEqual(
        manifests,
        many.map(({ manifest }) => manifest),
      );
    });

    test('a file of many extents', async () => {
      const large = put('/large/file', 9001);
      await catalog.commit(session, [large, put('/large/small')]);
      assert.deepEqual(await catalog.manifest(session, '/large/file'), large.manifest);
      const { freed } = await removeForever(catalog, session, '/large/file');
      assert.deepEqual(freed, []);
    });

    test('commits at the same time make one folder', async () => {
      const versions = Array.from({ length: 40 }, (_, index) => put(`/together/folder/${String(index)}`));
      await Promise.all(versions.map((version) => catalog.commit(session, [version])));
      assert.deepEqual(paths(await catalog.list(session, '/together')), ['/together/folder']);
      assert.equal((await catalog.list(session, '/together/folder')).length, 40);
    });

    test('a commit that fails does not harm those that run with it', async () => {
      await catalog.commit(session, [put('/beside/file')]);
      const [good, bad] = await Promise.allSettled([
        catalog.commit(session, [put('/beside/good')]),
        catalog.commit(session, [put('/beside/bad/x'), put('/beside/file/below')]),
      ]);
      assert.equal(good.status, 'fulfilled');
      assert.equal(bad.status, 'rejected');
      assert.deepEqual(paths(await catalog.list(session, '/beside')), ['/beside/file', '/beside/good']);
    });

    treeContract(() => ({ catalog, session, put }));
    trashContract(() => ({ catalog, session, put }));

    test('stripes are kept, not replaced, and forgotten', async () => {
      const record = await signedStripe(catalog, session);
      const unknown = sampleStripe(session.user);
      await catalog.putStripes([record]);
      await catalog.putStripes([record]);
      assert.deepEqual(await catalog.stripes([unknown.id, record.id]), [undefined, record]);
      await fails(catalog.forgetStripes({ token: 'x' }, [record.id]), 'LOCKED');
      await catalog.forgetStripes(session, [record.id, unknown.id]);
      assert.deepEqual(await catalog.stripes([record.id]), [undefined]);
      await catalog.putStripes([record]);
      assert.deepEqual(await catalog.stripes([record.id]), [record]);
      await fails(catalog.putStripes([{ ...record, k: 3 }]), 'INVALID_ARGUMENT');
      await fails(catalog.putStripes([unknown]), 'INVALID_ARGUMENT');
    });

    test('nothing works without a session', async () => {
      const stranger = { token: randomBytes(32).toString('hex') };
      await fails(catalog.stat(stranger, '/'), 'LOCKED');
      await fails(catalog.list(stranger, '/'), 'LOCKED');
      await fails(catalog.commit(stranger, [put('/x')]), 'LOCKED');
      await fails(catalog.commit(stranger, []), 'LOCKED');
      await fails(catalog.remove(stranger, '/many'), 'LOCKED');
      await fails(catalog.sign(stranger, 'label', randomBytes(10)), 'LOCKED');
      await catalog.lock(stranger);
    });

    catalogSecrets(() => catalog);
    compactionContract(() => ({ catalog, session }));
    catalogStripes(() => ({ catalog, session, stripe, membership: subject.membership }));

    test('last: locked means locked, and everything is there after a restart', async () => {
      const before = await catalog.list(session, '/', { recursive: true });
      await catalog.lock(session);
      await fails(catalog.stat(session, '/'), 'LOCKED');
      const known = (await catalog.users()).filter(({ name: user }) => user === 'demo');
      assert.deepEqual(known, [{ id: session.user, name: 'demo', unlocked: false, generation: 1, kit: false }]);

      catalog = await subject.reopen();
      await fails(catalog.stat(session, '/'), 'LOCKED');
      session = await catalog.unlock('demo', PASSPHRASE);
      assert.deepEqual(await catalog.list(session, '/', { recursive: true }), before);
      assert.deepEqual(await catalog.stripes([stripe.id]), [stripe]);
      assert.equal((await catalog.network()).tolerate, 2);
      await catalog.commit(session, [put('/many/after')]);
    });
  });
}
