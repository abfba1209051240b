import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Catalog, Session, StripeRecord } from '../../src/catalog/catalog.js';
import { LIVE_STRIPE_PAGE, type LiveExtent } from '../../src/catalog/compaction.js';
import { sampleExtent, sampleStripe, sampleVersion, signedStripe } from './catalog-samples.js';

/** So many extents do not fit one message. */
const MANY = 6000;

/** Part of the contract of a Catalog: what is needed of a stripe can be stored anew elsewhere. */
export function compactionContract(subject: () => { readonly catalog: Catalog; readonly session: Session }): void {
  async function stored(): Promise<StripeRecord> {
    const { catalog, session } = subject();
    const record = await signedStripe(catalog, session);
    await catalog.putStripes([record]);
    return record;
  }

  test('extents of a stripe are moved to another one, and the first is due to be given back', async () => {
    const { catalog, session } = subject();
    const [from, to, other] = [await stored(), await stored(), await stored()];
    await catalog.commit(session, [sampleVersion('/compacted/other', [sampleExtent(other.id)])]);
    const extents = [sampleExtent(from.id, 10), { ...sampleExtent(from.id, 20), offset: 100 }];
    const version = { ...sampleVersion('/compacted/ü', extents), createdMs: 1_600_000_000_000 };
    await catalog.commit(session, [version]);
    const before = await catalog.stat(session, '/compacted/ü');
    assert.equal(before.moved, undefined);

    const live = await catalog.compaction.liveStripes(session, { limit: LIVE_STRIPE_PAGE });
    assert.deepEqual(
      live.find(({ stripe }) => stripe === from.id),
      { stripe: from.id, bytes: 130 },
    );
    const [first, second] = live;
    assert.ok(first !== undefined && second !== undefined);
    assert.deepEqual(await catalog.compaction.liveStripes(session, { limit: 1 }), [first]);
    assert.deepEqual(await catalog.compaction.liveStripes(session, { after: first.stripe, limit: 1 }), [second]);

    const { file, version: id, mode, modifiedMs } = version.manifest;
    const whose = { file, version: id, path: '/compacted/ü', createdMs: version.createdMs, mode, modifiedMs };
    const found = await catalog.compaction.liveExtents(session, [from.id]);
    assert.deepEqual(found, [
      { ...whose, fileOffset: 0, last: false, extent: extents[0] },
      { ...whose, fileOffset: 10, last: true, extent: extents[1] },
    ]);
    const targets = found.map(({ extent }, at) => ({ ...sampleExtent(to.id, extent.bytes), offset: 200 * at }));
    const moves = found.map((one, at) => ({ ...one, from: one.extent, to: targets[at] ?? one.extent }));
    const unknown = moves.map((move) => ({ ...move, to: sampleExtent(sampleStripe(session.user).id, move.to.bytes) }));
    await assert.rejects(catalog.compaction.moveExtents(session, unknown), { code: 'INVALID_ARGUMENT' });
    assert.equal(await catalog.compaction.moveExtents(session, moves), 1);
    assert.equal(await catalog.compaction.moveExtents(session, moves), 0, 'it lies elsewhere by now');

    const after = await catalog.stat(session, '/compacted/ü');
    assert.deepEqual([after.version, typeof after.moved], [before.version, 'string']);
    assert.deepEqual((await catalog.manifest(session, '/compacted/ü')).extents, targets);
    assert.deepEqual(await catalog.unreferenced(session, [from.id, to.id]), []);
    assert.equal(await catalog.compaction.giveUpMoved(session, 0), 1);
    assert.equal(await catalog.compaction.giveUpMoved(session, Number.MAX_SAFE_INTEGER), 1);
    const { due } = await catalog.dueRemovals(session);
    const [given, ...others] = due.filter(({ stripes }) => stripes.some(({ stripe }) => stripe === from.id));
    assert.ok(given !== undefined);
    assert.deepEqual([given.stripes.map(({ stripe }) => stripe), others], [[from.id], []]);
    assert.deepEqual(await catalog.carryOutRemovals(session, [given.node]), [from.id]);
    assert.equal(await catalog.compaction.giveUpMoved(session, 0), 0);
  });

  test('moves that do not fit one message arrive all', async () => {
    const { catalog, session } = subject();
    const [from, to] = [await stored(), await stored()];
    const files = Array.from({ length: MANY / 100 }, (_, at) => {
      const extents = Array.from({ length: 100 }, (_, nth) => ({
        ...sampleExtent(from.id, 1),
        offset: 100 * at + nth,
      }));
      return sampleVersion(`/compacted/many/${String(at)}`, extents);
    });
    await catalog.commit(session, files);
    const found = await catalog.compaction.liveExtents(session, [from.id]);
    assert.equal(found.length, MANY);
    const moved = ({ extent }: LiveExtent) => ({ ...extent, stripe: to.id });
    const moves = found.map((one) => ({ ...one, from: one.extent, to: moved(one) }));
    assert.equal(await catalog.compaction.moveExtents(session, moves), files.length);
    const now = await catalog.manifests(
      session,
      files.map(({ path }) => path),
    );
    assert.ok(now.every((manifest) => manifest?.extents.every(({ stripe }) => stripe === to.id)));
  });

  test('versions of no bytes are listed, be they older ones or in the trash', async () => {
    const { catalog, session } = subject();
    const record = await stored();
    const [older, newer] = [
      sampleVersion('/compacted/empty'),
      sampleVersion('/compacted/empty', [sampleExtent(record.id)]),
    ];
    for (const version of [older, newer]) await catalog.commit(session, [version]);
    await catalog.remove(session, '/compacted/empty');
    const found = (await catalog.compaction.emptyVersions(session)).filter(({ path }) => path === '/compacted/empty');
    assert.deepEqual(
      found.map(({ version, mode }) => [version, mode]),
      [[older.manifest.version, older.manifest.mode]],
    );
  });

  test('what has no meaning is refused', async () => {
    const { catalog, session } = subject();
    for (const limit of [0, LIVE_STRIPE_PAGE + 1]) {
      await assert.rejects(catalog.compaction.liveStripes(session, { limit }), { code: 'INVALID_ARGUMENT' });
    }
    const locked = { token: 'none' };
    await assert.rejects(catalog.compaction.liveStripes(locked, { limit: 1 }), { code: 'LOCKED' });
    await assert.rejects(catalog.compaction.liveExtents(locked, []), { code: 'LOCKED' });
    await assert.rejects(catalog.compaction.emptyVersions(locked), { code: 'LOCKED' });
    await assert.rejects(catalog.compaction.moveExtents(locked, []), { code: 'LOCKED' });
    await assert.rejects(catalog.compaction.giveUpMoved(locked, 0), { code: 'LOCKED' });
  });
}
